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
}
