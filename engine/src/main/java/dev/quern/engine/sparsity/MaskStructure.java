package dev.quern.engine.sparsity;

/**
 * Where zeros may lie, in the notation of llm-compressor's {@code mask_structure}: {@code N:M} is
 * <i>N zeros in each M neighbours</i> of a row, {@code 0:0} anywhere.
 *
 * <p>For 2:4 that is the same as the notation of GPUs, which count what is kept. Source:
 * llm-compressor, {@code SparsityModifierBase._split_mask_structure}.
 *
 * @param pruned zeros of a group; 0 when unstructured
 * @param groupSize neighbours of a group; 0 when unstructured
 */
public record MaskStructure(int pruned, int groupSize) {
  /** Zeros anywhere. */
  public static final MaskStructure UNSTRUCTURED = new MaskStructure(0, 0);

  /** Two zeros in each four neighbours, what the sparse tensor cores of NVIDIA GPUs multiply. */
  public static final MaskStructure TWO_OF_FOUR = new MaskStructure(2, 4);

  /** Checks that something is pruned and something kept. */
  public MaskStructure {
    boolean unstructured = pruned == 0 && groupSize == 0;
    if (!unstructured && (pruned < 1 || pruned >= groupSize)) {
      throw new IllegalArgumentException(
          "mask_structure "
              + pruned
              + ":"
              + groupSize
              + ": expected N:M with N zeros in each M neighbours and 0 < N < M, like 2:4, or 0:0"
              + " for zeros anywhere");
    }
  }

  /**
   * Reads {@code N:M}.
   *
   * @throws IllegalArgumentException when it is none
   */
  public static MaskStructure parse(String text) {
    int colon = text.indexOf(':');
    try {
      return new MaskStructure(
          Integer.parseInt(text.substring(0, Math.max(0, colon)).strip()),
          Integer.parseInt(text.substring(colon + 1).strip()));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "mask_structure \"" + text + "\": expected N:M, like 2:4, or 0:0 for zeros anywhere", e);
    }
  }

  /** Whether zeros may lie anywhere. */
  public boolean isUnstructured() {
    return groupSize == 0;
  }

  /**
   * Checks that rows have whole groups.
   *
   * @throws IllegalArgumentException when they have not
   */
  public void requireFits(int columns) {
    if (!isUnstructured() && columns % groupSize != 0) {
      throw new IllegalArgumentException(
          columns
              + " columns cannot be pruned "
              + this
              + ": the last group has "
              + columns % groupSize
              + " of "
              + groupSize
              + " columns; prune this matrix 0:0, or ignore it");
    }
  }

  @Override
  public String toString() {
    return pruned + ":" + groupSize;
  }
}
