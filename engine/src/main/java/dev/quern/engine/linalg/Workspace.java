package dev.quern.engine.linalg;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.MatrixKernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.MemorySegment;

/**
 * Who computes, and in which memory: kernels, threads, and scratch buffers that grow to what the
 * largest operation needs and are used again by the next. {@link #MAX_PACKED_BYTES} and {@link
 * #WORKER_BYTES} say how large they can get.
 *
 * <p>One operation at a time. Results do not depend on the number of threads. With threads,
 * matrices must lie in memory that all threads may use: that of a shared arena, not of a confined
 * one.
 */
public final class Workspace implements AutoCloseable {
  /** The most that packed operands take, whatever the sizes of the matrices. */
  public static final long MAX_PACKED_BYTES = 64L << 20;

  /** The most that each thread takes beside that. */
  public static final long WORKER_BYTES = 2L << 20;

  /** Below this many operations, starting threads costs more than they save. */
  private static final long WORTH_THREADS = 4_000_000;

  private final MatrixKernels kernels;
  private final Workers workers;
  private final long worthThreads;
  private final Scratch left = new Scratch();
  private final Scratch right = new Scratch();
  private final Scratch panel = new Scratch();
  private final Scratch[] own;

  /**
   * Computes on threads.
   *
   * @param workers not closed by this; nothing else may run on them during an operation, and an
   *     operation must not be called from one of their tasks
   */
  public Workspace(Kernels kernels, Workers workers) {
    this(kernels, workers, WORTH_THREADS);
  }

  /**
   * For tests that want threads for small matrices too.
   *
   * @param worthThreads operations from which on threads are used
   */
  Workspace(Kernels kernels, Workers workers, long worthThreads) {
    this.kernels = kernels.matrices();
    this.workers = workers;
    this.worthThreads = worthThreads;
    own = new Scratch[workers == null ? 1 : workers.threads()];
    for (int i = 0; i < own.length; i++) {
      own[i] = new Scratch();
    }
  }

  /** Computes on the thread that calls, as a task of {@link Workers} must. */
  public static Workspace ofCallingThread(Kernels kernels) {
    return new Workspace(kernels, null);
  }

  MatrixKernels kernels() {
    return kernels;
  }

  MemorySegment left(long bytes) {
    return left.atLeast(bytes);
  }

  MemorySegment right(long bytes) {
    return right.atLeast(bytes);
  }

  MemorySegment panel(long bytes) {
    return panel.atLeast(bytes);
  }

  MemorySegment own(int worker, long bytes) {
    return own[worker].atLeast(bytes);
  }

  /**
   * Runs tasks on the threads, or here when there are none or not enough to do.
   *
   * @param operations about how many floating-point operations all tasks together take
   */
  void run(int tasks, double operations, Tasks.Task task) {
    Tasks.runHereOrOn(workers, tasks, operations >= worthThreads, "a matrix operation", task);
  }

  @Override
  public void close() {
    left.close();
    right.close();
    panel.close();
    for (Scratch scratch : own) {
      scratch.close();
    }
  }
}
