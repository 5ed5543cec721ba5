package dev.quern.engine.sparsity;

/** What a share of zeros means in numbers. */
public final class Sparsity {
  private Sparsity() {}

  /**
   * How many of {@code elements} are pruned: {@code floor(sparsity * elements)}, the product in
   * binary64, as Python's {@code int(elements * sparsity)} has it.
   *
   * @throws IllegalArgumentException when the share is not from 0 to 1
   */
  public static long count(double sparsity, long elements) {
    if (!(sparsity >= 0 && sparsity <= 1)) {
      throw new IllegalArgumentException(
          "sparsity " + sparsity + ": expected the share of zeros, from 0 to 1, like 0.5");
    }
    return (long) (elements * sparsity);
  }
}
