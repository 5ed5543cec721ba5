package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import java.util.HashMap;
import java.util.Map;

/**
 * Who computes a forward pass, and in which memory: kernels, threads, and buffers that grow to what
 * the longest sample needs and are used again by the next layer.
 *
 * <p>One forward pass at a time. No result depends on the number of threads. With threads, matrices
 * must lie in memory that all threads may use.
 */
public final class DecoderWorkspace implements AutoCloseable {
  /** Buffers that live as long as one half of a layer. */
  enum Slot {
    NORMED,
    PARALLEL_INPUT,
    OWN_INPUT,
    PROJECTED,
    GATED,
    OUTPUT,
    ROUTER,
    EXPERT_INPUT,
    EXPERT_OUTPUT
  }

  /** Below this many operations, starting threads costs more than they save. */
  private static final long WORTH_THREADS = 1_000_000;

  /** Rows of one task. */
  private static final int ROWS = 16;

  private final Kernels kernels;
  private final Workers workers;
  private final Workspace products;
  private final Workspace[] ownProducts;
  private final Scratch[] own;
  private final Scratch[] slots = new Scratch[Slot.values().length];
  private final Map<RopeSpec, RopeTable> ropes = new HashMap<>();

  /**
   * Computes on threads.
   *
   * @param workers not closed by this; nothing else may run on them during a forward pass, and a
   *     forward pass must not be called from one of their tasks
   */
  public DecoderWorkspace(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
    int threads = workers == null ? 1 : workers.threads();
    products =
        workers == null ? Workspace.ofCallingThread(kernels) : new Workspace(kernels, workers);
    ownProducts = new Workspace[threads];
    own = new Scratch[threads];
    for (int i = 0; i < threads; i++) {
      ownProducts[i] = Workspace.ofCallingThread(kernels);
      own[i] = new Scratch();
    }
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new Scratch();
    }
  }

  /** Computes on the thread that calls, as a task of {@link Workers} must. */
  public static DecoderWorkspace ofCallingThread(Kernels kernels) {
    return new DecoderWorkspace(kernels, null);
  }

  DecoderKernels kernels() {
    return kernels.decoder();
  }

  /** For products that use all threads. */
  Workspace products() {
    return products;
  }

  /** For products inside of a task. */
  Workspace products(int worker) {
    return ownProducts[worker];
  }

  /** A worker's own matrix, with arbitrary contents, until its next use. */
  FloatMatrix own(int worker, int rows, int columns) {
    return matrix(own[worker], rows, columns);
  }

  /** A matrix with arbitrary contents, until the slot's next use. */
  FloatMatrix buffer(Slot slot, int rows, int columns) {
    return matrix(slots[slot.ordinal()], rows, columns);
  }

  /** A copy of a matrix, until the slot's next use. */
  FloatMatrix copy(Slot slot, FloatMatrix x) {
    FloatMatrix copy = buffer(slot, x.rows(), x.columns());
    for (int row = 0; row < x.rows(); row++) {
      copy.data()
          .asSlice(copy.offset(row, 0), 4L * x.columns())
          .copyFrom(x.data().asSlice(x.offset(row, 0), 4L * x.columns()));
    }
    return copy;
  }

  private static FloatMatrix matrix(Scratch scratch, int rows, int columns) {
    int stride = Math.toIntExact(FloatMatrix.bytes(1, columns) / Float.BYTES);
    return new FloatMatrix(
        scratch.atLeast(FloatMatrix.bytes(rows, columns)), rows, columns, stride);
  }

  /** Cosines and sines for a sequence of so many tokens. */
  RopeTable rope(RopeSpec spec, int tokens) {
    RopeTable table = ropes.get(spec);
    if (table == null || !table.fits(tokens)) {
      if (table != null) {
        table.close();
      }
      table = new RopeTable(spec, tokens);
      ropes.put(spec, table);
    }
    return table;
  }

  /** What is done to one row. */
  @FunctionalInterface
  interface Row {
    void run(int row);
  }

  /**
   * Does something to each row.
   *
   * @param operations about how many operations a row takes
   */
  void rows(int rows, long operations, Row body) {
    run(
        Math.ceilDiv(rows, ROWS),
        rows * operations,
        (task, _) -> {
          int end = Math.min(rows, (task + 1) * ROWS);
          for (int row = task * ROWS; row < end; row++) {
            body.run(row);
          }
        });
  }

  /**
   * Runs tasks on the threads, or here when there are none or not enough to do.
   *
   * @param operations about how many operations all tasks together take
   */
  void run(int tasks, long operations, Tasks.Task task) {
    Tasks.runHereOrOn(workers, tasks, operations >= WORTH_THREADS, "a forward pass", task);
  }

  @Override
  public void close() {
    products.close();
    for (int i = 0; i < own.length; i++) {
      ownProducts[i].close();
      own[i].close();
    }
    for (Scratch slot : slots) {
      slot.close();
    }
    ropes.values().forEach(RopeTable::close);
    ropes.clear();
  }
}
