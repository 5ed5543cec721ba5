package dev.quern.formats.recipe;

/**
 * How the codes of a rule's weights are found. The order of columns, {@code actorder}, is not here:
 * it stands with the weights' other arguments, because readers of a checkpoint have to know it.
 *
 * @param algorithm which one
 * @param blockSize columns that a solver goes through before it updates the rest, at least 1;
 *     {@code block_size}
 * @param dampening what a solver adds to the diagonal of its Hessian, in units of the diagonal's
 *     mean, at least 0; {@code dampening_frac}
 */
public record SolverChoice(Algorithm algorithm, int blockSize, double dampening) {
  /** The algorithms. */
  public enum Algorithm {
    /** Each weight to its nearest code. Needs no data for weights. */
    RTN,
    /** Column by column, later columns making up for the error of earlier ones. Needs data. */
    GPTQ
  }

  /** What llm-compressor's modifiers take when they are not told. */
  public static final int DEFAULT_BLOCK_SIZE = 128;

  /** What llm-compressor's modifiers take when they are not told. */
  public static final double DEFAULT_DAMPENING = 0.01;

  /** Rounding to nearest; it has no settings. */
  public static final SolverChoice RTN = of(Algorithm.RTN);

  /** Checks the settings. */
  public SolverChoice {
    if (blockSize < 1) {
      throw new IllegalArgumentException("block size: expected at least 1, found " + blockSize);
    }
    if (!(dampening >= 0 && dampening < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "dampening: expected a finite number of at least 0, found " + dampening);
    }
  }

  /** An algorithm with the reference's defaults. */
  public static SolverChoice of(Algorithm algorithm) {
    return new SolverChoice(algorithm, DEFAULT_BLOCK_SIZE, DEFAULT_DAMPENING);
  }

  /** The same with another block size. */
  public SolverChoice withBlockSize(int columns) {
    return new SolverChoice(algorithm, columns, dampening);
  }

  /** The same with another dampening. */
  public SolverChoice withDampening(double fraction) {
    return new SolverChoice(algorithm, blockSize, fraction);
  }

  /** Whether weights are solved with what calibration shows, and not rounded one by one. */
  public boolean needsData() {
    return algorithm != Algorithm.RTN;
  }
}
