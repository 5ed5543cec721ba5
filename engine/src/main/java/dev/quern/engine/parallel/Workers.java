package dev.quern.engine.parallel;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A fixed number of threads that work off numbered tasks.
 *
 * <p>What a task computes may depend on its number only, never on the worker that runs it; results
 * belong into places given by that number. Then the outcome is the same for any number of threads,
 * and so is the failure: when tasks fail, the one with the lowest number is reported.
 */
public final class Workers implements AutoCloseable {
  /** The work behind one number. */
  @FunctionalInterface
  public interface Task {
    /**
     * @param task the number, from 0
     * @param worker which thread runs it, from 0 to {@link Workers#threads()} - 1: an index for
     *     scratch memory only
     */
    void run(int task, int worker) throws Exception;
  }

  private final int threads;
  private final ThreadPoolExecutor executor;

  /**
   * @param threads at least 1
   */
  public Workers(int threads) {
    this(threads, Thread.ofPlatform().name("quern-worker-", 0).daemon(true).factory());
  }

  /** As the other one, with another way to make threads; for tests. */
  Workers(int threads, ThreadFactory factory) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads; at least 1 expected");
    }
    this.threads = threads;
    this.executor =
        new ThreadPoolExecutor(
            threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
  }

  /** Number of threads. */
  public int threads() {
    return threads;
  }

  /**
   * Runs tasks 0 to {@code tasks - 1}, started in ascending order, and waits for all of them. After
   * a failure, or when the caller is interrupted, no further task starts; those that have started
   * are always waited for, so that the caller may free what they work on.
   *
   * <p>Where the system starts fewer threads than were asked for, those do all of the work.
   *
   * @throws NoThreadException when the system starts none; no task has run then
   * @throws Exception what the failed task with the lowest number threw
   * @throws InterruptedException when the caller was interrupted
   */
  public void run(int tasks, Task body) throws Exception {
    Run run = new Run(tasks, body);
    CountDownLatch done = new CountDownLatch(threads);
    for (int w = 0; w < threads; w++) {
      int worker = w;
      execute(
          () -> {
            try {
              run.work(worker);
            } finally {
              done.countDown();
            }
          });
    }
    try {
      done.await();
    } catch (InterruptedException e) {
      run.stop();
      awaitUninterruptibly(done);
      throw e;
    }
    run.rethrow();
  }

  private void execute(Runnable work) {
    try {
      executor.execute(work);
    } catch (OutOfMemoryError e) { // how the JVM says that the system starts no more threads
      int running = executor.getPoolSize();
      if (running == 0) {
        throw new NoThreadException(e);
      }
      executor.setCorePoolSize(running); // so the others' work waits for these
      executor.execute(work);
    }
  }

  private static void awaitUninterruptibly(CountDownLatch done) {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    executor.close();
  }

  private static final class Run {
    private final int tasks;
    private final Task body;
    private final AtomicInteger next = new AtomicInteger();
    private Throwable failure;
    private int failedTask = Integer.MAX_VALUE;

    Run(int tasks, Task body) {
      this.tasks = tasks;
      this.body = body;
    }

    void work(int worker) {
      for (int task = next.getAndIncrement(); task < tasks; task = next.getAndIncrement()) {
        try {
          body.run(task, worker);
        } catch (Throwable t) {
          failed(task, t);
          return;
        }
      }
    }

    void stop() {
      next.set(tasks);
    }

    private synchronized void failed(int task, Throwable t) {
      stop();
      if (task < failedTask) {
        failedTask = task;
        failure = t;
      }
    }

    synchronized void rethrow() throws Exception {
      switch (failure) {
        case null -> {}
        case Exception e -> throw e;
        case Error e -> throw e;
        default -> throw new IllegalStateException(failure);
      }
    }
  }
}
