package dev.quern.pipeline;

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
