package dev.quern.pipeline;

import dev.quern.engine.memory.MemoryBudget;
import java.util.List;

/**
 * The share of the memory budget that the tables of searches take while a stage runs. Where the
 * budget has no room for them beside the largest piece of work, the kernels do without: the same
 * ranges, found more slowly.
 *
 * @param handOver the kernels to use
 * @param lease of the tables
 */
record SearchMemory(KernelHandOver handOver, MemoryBudget.Lease lease) implements AutoCloseable {
  /**
   * Takes what the tensors' searches need.
   *
   * @param largestPiece bytes of the largest piece of work
   */
  static SearchMemory of(
      KernelHandOver handOver,
      List<PlannedTensor> tensors,
      long largestPiece,
      int threads,
      MemoryBudget budget) {
    long bytes = handOver.searchBytes(tensors, threads);
    boolean fits = bytes <= budget.limit() / 2 && bytes <= budget.limit() - largestPiece;
    return fits
        ? new SearchMemory(handOver, budget.acquire(bytes))
        : new SearchMemory(handOver.sparing(), budget.acquire(0));
  }

  @Override
  public void close() {
    lease.close();
  }
}
