package dev.quern.engine.model;

import dev.quern.engine.linalg.MatrixOperand;

/**
 * The tensors of a model by name, as far as they are wanted: whoever implements it maps or decodes
 * them. What it returns lives as long as the implementation says, and may be read by all threads
 * meanwhile.
 */
public interface Weights {
  /**
   * A tensor [rows, columns] in its own type.
   *
   * @throws RuntimeException when there is none of that name and shape
   */
  MatrixOperand matrix(String tensor, int rows, int columns);

  /**
   * A tensor [size], widened to f32.
   *
   * @throws RuntimeException when there is none of that name and shape
   */
  float[] vector(String tensor, int size);
}
