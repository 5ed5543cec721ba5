package dev.quern.pipeline.calibration;

import dev.quern.engine.linalg.MatrixOperand;
import dev.quern.engine.model.Weights;
import java.util.HashMap;
import java.util.Map;

/** A layer's weights as they were stored: solved matrices, and everything else as it was. */
final class SolvedWeights implements Weights {
  private final Weights source;
  private final Map<String, MatrixOperand> solved = new HashMap<>();

  SolvedWeights(Weights source) {
    this.source = source;
  }

  /** Replaces a tensor. */
  void put(String tensor, MatrixOperand weights) {
    solved.put(tensor, weights);
  }

  @Override
  public MatrixOperand matrix(String tensor, int rows, int columns) {
    MatrixOperand replaced = solved.get(tensor);
    return replaced == null ? source.matrix(tensor, rows, columns) : replaced;
  }

  @Override
  public float[] vector(String tensor, int size) {
    return source.vector(tensor, size);
  }
}
