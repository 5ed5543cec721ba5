package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The searches of observers over runs of blocks: {@code blocks} blocks of {@code n} contiguous
 * elements each, one after the other. {@link ScalarRangeSearch} is their definition; every other
 * provider equals it bit for bit.
 *
 * <p>Memory and threads are as in {@link Kernels}.
 */
public interface RangeSearchKernels {
  /**
   * The best range of each block. The range of a step, the error it gives, and which of two is
   * better:
   *
   * <pre>
   *   begin   = R(expand * smallest), R(expand * largest)
   *   range   = R(begin * (1 - i / grid))                    both ends
   *   error   = R(sum of R(R(|R(fakeQuantize(x) - x)|) ^ norm)),  summed as {@link CascadeSum} does
   *   better  = the smaller error; of equal ones that of the earlier step
   * </pre>
   *
   * <p>{@code R} rounds to the weights' type. Where no step gives a finite error, the range is the
   * one that the search begins with. A block that holds NaN or infinity gives its smallest and
   * largest value, of which one is not finite.
   *
   * @param steps how many steps to go, at most {@link RangeSearch#steps}
   * @param min receives the lower ends from index {@code first} on
   * @param max receives the upper ends
   */
  void search(
      RangeSearch search,
      int steps,
      MemorySegment source,
      long sourceOffset,
      int blocks,
      int n,
      float[] min,
      float[] max,
      int first);

  /**
   * What a search keeps in memory between calls, at most: tables that threads share, and the
   * buffers of each thread. {@link Kernels#sparing} keeps none of it.
   */
  default long memoryBytes(RangeSearch search, int threads) {
    return 0;
  }

  /**
   * Which steps improve any block of a run over all steps before: {@code improved[i]} is set then,
   * and left as it is otherwise.
   *
   * @param improved one for each step of the search
   */
  void markImprovements(
      RangeSearch search,
      MemorySegment source,
      long sourceOffset,
      int blocks,
      int n,
      boolean[] improved);
}
