package dev.quern.engine.sparsity;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.MemorySegment;

/**
 * How large the inputs of a layer are, channel by channel: what Wanda needs to know of the
 * calibration data.
 *
 * <p>Squares are exact and added up in binary64, each channel in the order of the tokens, so the
 * sums are the same for any number of threads, and however the tokens are split into batches. The
 * reference keeps a running mean in binary32; the two agree to the precision of that.
 *
 * <p>Source: llm-compressor, {@code wanda_sparsify.accumulate_row_scalars}; Sun et al., "A Simple
 * and Effective Pruning Approach for Large Language Models".
 */
public final class ActivationNorms {
  private static final int TASK_COLUMNS = 256;

  private final double[] squares;
  private long sequences;

  /**
   * @param columns input channels of the layer
   */
  public ActivationNorms(int columns) {
    this.squares = new double[columns];
  }

  /**
   * Adds the inputs of a layer for some tokens.
   *
   * @param activations row-major [tokens, columns] of {@code type}
   * @param sequencesAdded sequences that these tokens are of; a factor common to all channels,
   *     which decides nothing
   * @throws ArithmeticException when an activation is NaN or infinite; nothing is added then
   * @throws InterruptedException when the caller was interrupted; the sums are void then
   */
  public void add(
      Workers workers, FloatType type, MemorySegment activations, int tokens, int sequencesAdded)
      throws InterruptedException {
    int columns = squares.length;
    long expected = (long) tokens * columns * type.bytes();
    if (activations.byteSize() != expected) {
      throw new IllegalArgumentException(
          type
              + " activations ["
              + tokens
              + ", "
              + columns
              + "] take "
              + expected
              + " bytes; found "
              + activations.byteSize());
    }
    int tasks = Math.ceilDiv(columns, TASK_COLUMNS);
    double[] sums = squares.clone(); // going on from there, batches change no bit
    Tasks.run(
        workers,
        tasks,
        (task, worker) -> {
          int begin = task * TASK_COLUMNS;
          int end = Math.min(columns, begin + TASK_COLUMNS);
          addSquares(type, activations, tokens, begin, end, sums);
        });
    System.arraycopy(sums, 0, squares, 0, columns);
    sequences += sequencesAdded;
  }

  private static void addSquares(
      FloatType type, MemorySegment activations, int tokens, int begin, int end, double[] sums) {
    int columns = sums.length;
    for (int token = 0; token < tokens; token++) {
      long row = (long) token * columns * type.bytes();
      for (int col = begin; col < end; col++) {
        double x = type.load(activations, row + (long) col * type.bytes());
        sums[col] += x * x;
      }
    }
    for (int col = begin; col < end; col++) {
      if (!Double.isFinite(sums[col])) {
        throw firstNonFinite(type, activations, tokens, columns, col);
      }
    }
  }

  private static ArithmeticException firstNonFinite(
      FloatType type, MemorySegment activations, int tokens, int columns, int col) {
    for (int token = 0; token < tokens; token++) {
      float x = type.load(activations, ((long) token * columns + col) * type.bytes());
      if (!Float.isFinite(x)) {
        return new ArithmeticException(
            "activation [" + token + ", " + col + "] is " + x + "; expected finite inputs");
      }
    }
    throw new IllegalArgumentException("column " + col + " is finite");
  }

  /**
   * The mean square of each channel over the sequences, the reference's {@code row_scalars}: sums
   * over tokens, divided by the number of sequences.
   *
   * @throws IllegalStateException when no sequence was added
   */
  public float[] rowScalars() {
    if (sequences == 0) {
      throw new IllegalStateException(
          "no calibration data reached this layer; add activations first, or prune by magnitude");
    }
    float[] scalars = new float[squares.length];
    for (int col = 0; col < scalars.length; col++) {
      scalars[col] = (float) (squares[col] / sequences);
    }
    return scalars;
  }
}
