package dev.quern.engine.kernel;

/**
 * Where a search over all blocks of a matrix ends: after {@code patience} steps in a row of which
 * none improved any block.
 *
 * <p>Whether a step improves a block depends on the steps before it only, so blocks may be looked
 * at in any order and in pieces, each as if the search went on to the end; what they show is put
 * together by OR.
 *
 * <p>Source: llm-compressor (2026-08), {@code _grid_search_eager}.
 */
public final class Patience {
  private Patience() {}

  /**
   * Steps that the search tries.
   *
   * @param improved whether each step improved any block
   * @param patience steps without improvement that end the search; 0 does the same as 1
   */
  public static int steps(boolean[] improved, int patience) {
    int without = 0;
    for (int step = 0; step < improved.length; step++) {
      without = improved[step] ? 0 : without + 1;
      if (without > 0 && without >= patience) {
        return step + 1;
      }
    }
    return improved.length;
  }

  /** Whether the search goes to its last step, whatever other blocks show. */
  public static boolean isCertain(boolean[] improved, int patience) {
    int without = 0;
    for (boolean step : improved) {
      without = step ? 0 : without + 1;
      if (without > 0 && without >= patience) {
        return false;
      }
    }
    return true;
  }
}
