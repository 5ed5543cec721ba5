package dev.quern.pipeline;

import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.memory.Scratch;

/**
 * The buffers of one worker.
 *
 * @param source for source rows that are decoded
 * @param results for what is computed from them
 */
record WorkerScratch(Scratch source, Scratch results) implements AutoCloseable {
  /** Buffers for each worker, empty. */
  static WorkerScratch[] forWorkers(int threads) {
    WorkerScratch[] all = new WorkerScratch[threads];
    for (int w = 0; w < threads; w++) {
      all[w] = new WorkerScratch(new Scratch(), new Scratch());
    }
    return all;
  }

  /**
   * Called when a piece of work is done, before its lease ends: what an idle worker keeps counts
   * for nobody, so it is no more than pieces of the usual size need. One that cannot be cut may
   * need the whole budget, and each worker comes across one some time.
   *
   * @param budget bytes of all workers together
   */
  void keepShare(int threads, MemoryBudget budget) {
    long usual = 2 * SourceTask.targetBytes(threads, budget.limit());
    source.keepAtMost(usual);
    results.keepAtMost(usual);
  }

  static void close(WorkerScratch[] all) {
    for (WorkerScratch buffers : all) {
      buffers.close();
    }
  }

  @Override
  public void close() {
    source.close();
    results.close();
  }
}
