package dev.quern.pipeline;

import dev.quern.engine.quantization.NonFiniteWeightException;
import dev.quern.formats.CheckpointException;

/** What is wrong with a source tensor while it is worked on, in words for its owner. */
final class SourceFaults {
  private SourceFaults() {}

  /**
   * @param firstRow row of the matrix in which the strip begins
   */
  static CheckpointException nonFinite(
      PlannedTensor tensor, long firstRow, NonFiniteWeightException e) {
    return new CheckpointException(
        tensor.source().place() + " [" + (firstRow + e.row()) + ", " + e.col() + "]",
        "expected finite weights, found " + e.value(),
        "The checkpoint is damaged or diverged in training; fetch it again, or leave the module"
            + " as it is with --ignore "
            + tensor.plan().module()
            + ".",
        e);
  }

  /** {@link InternalError} is how the JVM reports a mapped file that became shorter. */
  static CheckpointException shortened(PlannedTensor tensor, InternalError e) {
    return new CheckpointException(
        tensor.source().place(),
        "the file cannot be read to its end (" + e.getMessage() + ")",
        "Let nothing else write to the file, check the disk, and start again.",
        e);
  }
}
