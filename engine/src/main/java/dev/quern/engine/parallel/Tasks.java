package dev.quern.engine.parallel;

/** Numbered tasks that throw nothing to be caught. */
public final class Tasks {
  private Tasks() {}

  /** What a task does. */
  @FunctionalInterface
  public interface Task {
    /**
     * @param task the number, from 0
     * @param worker which thread runs it, an index for scratch memory only
     */
    void run(int task, int worker);
  }

  /**
   * Runs them on {@link Workers#run workers}.
   *
   * @throws InterruptedException when the caller was interrupted
   */
  public static void run(Workers workers, int tasks, Task task) throws InterruptedException {
    try {
      workers.run(tasks, task::run);
    } catch (InterruptedException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Runs them on workers, or on the calling thread when there are none or too little is to be done.
   *
   * @param workers null for the calling thread
   * @param worthThreads whether all tasks together take longer than waking threads
   * @param what the work, for the error
   * @throws IllegalStateException when the caller was interrupted; its interrupt status stays
   */
  public static void runHereOrOn(
      Workers workers, int tasks, boolean worthThreads, String what, Task task) {
    if (workers == null || workers.threads() == 1 || tasks == 1 || !worthThreads) {
      for (int i = 0; i < tasks; i++) {
        task.run(i, 0);
      }
      return;
    }
    try {
      run(workers, tasks, task);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted during " + what, e);
    }
  }
}
