package dev.quern.engine.solver;

import dev.quern.engine.parallel.Workers;

/** Numbered tasks that throw nothing to be caught. */
final class Tasks {
  private Tasks() {}

  /** What a task does. */
  @FunctionalInterface
  interface Task {
    void run(int task, int worker);
  }

  static void run(Workers workers, int tasks, Task task) throws InterruptedException {
    try {
      workers.run(tasks, task::run);
    } catch (InterruptedException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
