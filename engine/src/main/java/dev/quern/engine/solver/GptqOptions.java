package dev.quern.engine.solver;

/**
 * How GPTQ solves a layer. {@link #reference()} does what llm-compressor does by default; the
 * options that it does not have are off there.
 *
 * @param order in which columns are gone through
 * @param blockSize columns between two updates of the rest of the matrix; changes no code and no
 *     scale, and of the loss only the last digits
 * @param dampening what is added to the Hessian's diagonal, in units of its mean
 * @param scaleUpdate whether a group's scale is derived again, from the updated weights, when the
 *     group begins; gains together with {@code scaleSearch}, and hardly alone
 * @param scaleSearch whether scales are those with the least {@code Σ (q - w)² / U[j, j]²}, the
 *     error after others made up for it, of 21 ranges from the group's whole one down to half of it
 * @param scaleRefit how often, after the sweep, each scale in turn is set to what is best for the
 *     codes by the whole Hessian; 0 for never
 */
public record GptqOptions(
    ActivationOrder order,
    int blockSize,
    float dampening,
    boolean scaleUpdate,
    boolean scaleSearch,
    int scaleRefit) {
  /** Checks the ranges. */
  public GptqOptions {
    if (blockSize < 1) {
      throw new IllegalArgumentException("block size " + blockSize + "; at least 1 expected");
    }
    if (!(dampening >= 0) || dampening == Float.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(
          "dampening " + dampening + "; a finite number of at least 0 expected");
    }
    if (scaleRefit < 0) {
      throw new IllegalArgumentException(scaleRefit + " refits of scales; at least 0 expected");
    }
    if (scaleUpdate && order == ActivationOrder.STATIC) {
      throw new IllegalArgumentException(
          "scales are updated when a group begins, and with actorder static no group does: its"
              + " columns are scattered; choose actorder none or group");
    }
  }

  /** {@code actorder} static, blocks of 128, dampening 0.01; scales as they are observed. */
  public static GptqOptions reference() {
    return new GptqOptions(ActivationOrder.STATIC, 128, 0.01f, false, false, 0);
  }

  /** The same with another order. */
  public GptqOptions withOrder(ActivationOrder other) {
    return new GptqOptions(other, blockSize, dampening, scaleUpdate, scaleSearch, scaleRefit);
  }

  /** The same with another block size. */
  public GptqOptions withBlockSize(int other) {
    return new GptqOptions(order, other, dampening, scaleUpdate, scaleSearch, scaleRefit);
  }

  /** The same with another dampening. */
  public GptqOptions withDampening(float other) {
    return new GptqOptions(order, blockSize, other, scaleUpdate, scaleSearch, scaleRefit);
  }

  /** The same with scales that are derived again when a group begins, or not. */
  public GptqOptions withScaleUpdate(boolean on) {
    return new GptqOptions(order, blockSize, dampening, on, scaleSearch, scaleRefit);
  }

  /** The same with scales that are searched for, or not. */
  public GptqOptions withScaleSearch(boolean on) {
    return new GptqOptions(order, blockSize, dampening, scaleUpdate, on, scaleRefit);
  }

  /** The same with so many refits of the scales. */
  public GptqOptions withScaleRefit(int rounds) {
    return new GptqOptions(order, blockSize, dampening, scaleUpdate, scaleSearch, rounds);
  }

  /** Whether scales are chosen from the weights as the sweep sees them. */
  boolean choosesScales() {
    return scaleUpdate || scaleSearch;
  }
}
