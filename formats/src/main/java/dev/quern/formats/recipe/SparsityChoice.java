package dev.quern.formats.recipe;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which weights of a module become zero, and what becomes of the others.
 *
 * @param algorithm which one
 * @param maskStructure {@code N:M} for N zeros in each M neighbours of a row, {@code 0:0} for zeros
 *     anywhere; {@code mask_structure}
 * @param sparsity share of zeros, from 0 to 1; with groups that of the groups
 * @param blockSize columns over which SparseGPT meets an unstructured share; {@code block_size}
 * @param dampening what SparseGPT adds to the diagonal of its Hessian, in units of the diagonal's
 *     mean; {@code dampening_frac}
 * @param preserveMask whether weights that are zero already stay so; {@code preserve_sparsity_mask}
 * @param refit steps of a least-squares refit of the weights that stay, ours; 0 for none
 */
public record SparsityChoice(
    Algorithm algorithm,
    String maskStructure,
    double sparsity,
    int blockSize,
    double dampening,
    boolean preserveMask,
    int refit) {
  /** The algorithms. */
  public enum Algorithm {
    /** The smallest weights go. Needs no data. */
    MAGNITUDE,
    /** The smallest products of weight and norm of the input go. Needs data. */
    WANDA,
    /** Column by column, later columns making up for what went. Needs data. */
    SPARSEGPT,
    /** None goes, but weights that are zero stay zero whatever comes next. Needs no data. */
    CONSTANT
  }

  /** Zeros anywhere. */
  public static final String UNSTRUCTURED = "0:0";

  private static final Pattern GROUPS = Pattern.compile("([0-9]{1,4}):([0-9]{1,4})");

  /** Checks the settings. */
  public SparsityChoice {
    if (!(sparsity >= 0 && sparsity <= 1)) {
      throw new IllegalArgumentException(
          "expected a share of zeros from 0 to 1, like 0.5, found " + sparsity);
    }
    double ofGroups = shareOf(maskStructure);
    if (!maskStructure.equals(UNSTRUCTURED) && sparsity != ofGroups) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "mask_structure %s makes a share of %s zero, and the sparsity is %s",
              maskStructure,
              ofGroups,
              sparsity));
    }
    if (blockSize < 1) {
      throw new IllegalArgumentException("block size: expected at least 1, found " + blockSize);
    }
    if (!(dampening >= 0 && dampening < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "dampening: expected a finite number of at least 0, found " + dampening);
    }
    if (refit < 0) {
      throw new IllegalArgumentException("refit: expected at least 0 steps, found " + refit);
    }
  }

  /**
   * An algorithm with the reference's defaults.
   *
   * @param maskStructure {@code N:M}, or {@code 0:0}
   * @param sparsity share of zeros; with groups that of the groups
   */
  public static SparsityChoice of(Algorithm algorithm, String maskStructure, double sparsity) {
    return new SparsityChoice(
        algorithm,
        maskStructure,
        sparsity,
        SolverChoice.DEFAULT_BLOCK_SIZE,
        SolverChoice.DEFAULT_DAMPENING,
        false,
        0);
  }

  /**
   * Reads what people write for both: {@code 2:4}, or a share such as {@code 0.5}.
   *
   * @throws IllegalArgumentException when it is neither
   */
  public static SparsityChoice parse(Algorithm algorithm, String text) {
    if (text.contains(":")) {
      if (text.equals(UNSTRUCTURED)) {
        throw new IllegalArgumentException(
            "0:0 means zeros anywhere, but not how many; give the share, like 0.5");
      }
      return of(algorithm, text, shareOf(text));
    }
    double share;
    try {
      share = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "expected N:M like 2:4, or the share of zeros like 0.5, found \"" + text + "\"", e);
    }
    return of(algorithm, UNSTRUCTURED, share);
  }

  /**
   * The share of zeros that a structure makes; 0 for zeros anywhere.
   *
   * @throws IllegalArgumentException when it is no structure
   */
  static double shareOf(String maskStructure) {
    Matcher matcher = GROUPS.matcher(maskStructure);
    if (maskStructure.equals(UNSTRUCTURED)) {
      return 0;
    }
    if (matcher.matches()) {
      int zeros = Integer.parseInt(matcher.group(1));
      int of = Integer.parseInt(matcher.group(2));
      if (zeros > 0 && zeros < of) {
        return (double) zeros / of;
      }
    }
    throw new IllegalArgumentException(
        "expected N:M with N zeros in each M neighbours and 0 < N < M, like 2:4, or 0:0 for zeros"
            + " anywhere, found \""
            + maskStructure
            + "\"");
  }

  /** Whether zeros may lie anywhere. */
  public boolean isUnstructured() {
    return maskStructure.equals(UNSTRUCTURED);
  }

  /** The same with another size of blocks. */
  public SparsityChoice withBlockSize(int columns) {
    return new SparsityChoice(
        algorithm, maskStructure, sparsity, columns, dampening, preserveMask, refit);
  }

  /** The same with another dampening. */
  public SparsityChoice withDampening(double fraction) {
    return new SparsityChoice(
        algorithm, maskStructure, sparsity, blockSize, fraction, preserveMask, refit);
  }

  /** The same with zeros that stay, or not. */
  public SparsityChoice withPreserveMask(boolean on) {
    return new SparsityChoice(algorithm, maskStructure, sparsity, blockSize, dampening, on, refit);
  }

  /** The same with so many steps of a refit. */
  public SparsityChoice withRefit(int steps) {
    return new SparsityChoice(
        algorithm, maskStructure, sparsity, blockSize, dampening, preserveMask, steps);
  }

  /** Whether it looks at what goes into a module. */
  public boolean needsData() {
    return refit > 0 || algorithm == Algorithm.WANDA || algorithm == Algorithm.SPARSEGPT;
  }
}
