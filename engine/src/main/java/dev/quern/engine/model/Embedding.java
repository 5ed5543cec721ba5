package dev.quern.engine.model;

import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.MatrixOperand;

/** The rows of the embedding: from token ids to the first layer's input. */
public final class Embedding {
  private final DecoderSpec spec;
  private final MatrixOperand rows;

  /** Finds the matrix, which must live as long as this. */
  public Embedding(DecoderSpec spec, Weights weights) {
    this.spec = spec;
    rows = weights.matrix(spec.embedding(), spec.vocabulary(), spec.hidden());
  }

  /**
   * Looks ids up: the row widened to f32, times the multiplier.
   *
   * @param target [ids, hidden]
   * @throws IllegalArgumentException when an id is not in the vocabulary; nothing is written then
   */
  public void lookUp(DecoderWorkspace workspace, int[] ids, FloatMatrix target) {
    Checks.require(
        target.rows() == ids.length && target.columns() == spec.hidden(),
        spec.embedding(),
        "the target",
        "[" + ids.length + ", " + spec.hidden() + "]",
        "[" + target.rows() + ", " + target.columns() + "]");
    for (int i = 0; i < ids.length; i++) {
      Checks.require(
          ids[i] >= 0 && ids[i] < spec.vocabulary(),
          spec.embedding(),
          "id " + i + " of the sample",
          "between 0 and "
              + (spec.vocabulary() - 1)
              + ": do the ids come from this model's"
              + " tokenizer?",
          ids[i]);
    }
    workspace.rows(ids.length, 2L * spec.hidden(), row -> copy(workspace, ids[row], row, target));
  }

  private void copy(DecoderWorkspace workspace, int id, int row, FloatMatrix target) {
    for (int column = 0; column < spec.hidden(); column++) {
      target.set(row, column, rows.get(id, column));
    }
    if (spec.embeddingMultiplier() != 1) {
      workspace
          .kernels()
          .scale(target.data(), target.offset(row, 0), spec.hidden(), spec.embeddingMultiplier());
    }
  }
}
