package dev.quern.bench;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A weight matrix in native memory, one for each thread: normally distributed, every row with a
 * largest magnitude of its own. What a benchmark needs beside it comes by extension and not by
 * injection: JMH makes a new object of a thread's state for every place that asks for one.
 */
@State(Scope.Thread)
public abstract class Weights {
  /** A real width that is no multiple of 4 KiB in any type. */
  static final int COLS = 5_632;

  // Drawing every weight would take longer than measuring; rows repeat rotated, so no two agree.
  private static final int DISTINCT_ROWS = 61;
  private static final int PAGE = 4_096;
  private static final int SKEW = 19 * 64;

  /** The type of the weights. */
  @Param({"BF16"})
  public FloatType type;

  /**
   * Size of the matrix in KiB: far larger than the last cache for the rate from memory, 256 for
   * what the arithmetic alone can do.
   */
  @Param({"131072"})
  public int kibibytes;

  Kernels kernels;
  MemorySegment segment;
  int rows;

  private Arena arena;
  private int buffers;

  /** Makes further buffers; every page of them is touched, as native memory is zeroed. */
  abstract void prepare();

  /** Compares what the benchmark left behind with the scalar law. */
  abstract void check();

  /** Fills the matrix, and stops a run whose kernels are not the ones it was started for. */
  @Setup(Level.Trial)
  public final void setUp() {
    ForkReport.require(KernelChoice.current());
    fill((int) sourceRows(type, kibibytes));
    prepare();
  }

  /** Checks the results, and frees the matrix and every buffer beside it. */
  @TearDown(Level.Trial)
  public final void tearDown() {
    try {
      check();
    } finally {
      arena.close();
    }
  }

  /** Rows of a matrix of at most this size. */
  private static long sourceRows(FloatType type, int kibibytes) {
    return ((long) kibibytes << 10) / (COLS * (long) type.bytes());
  }

  /** Bytes of weights that one operation works on. */
  static long sourceBytes(FloatType type, int kibibytes) {
    return sourceRows(type, kibibytes) * COLS * type.bytes();
  }

  private void fill(int rows) {
    kernels = KernelChoice.current().kernels();
    this.rows = rows;
    arena = Arena.ofConfined();
    segment = allocate(bytes());
    SplittableRandom random = new SplittableRandom(42);
    for (int row = 0; row < Math.min(rows, DISTINCT_ROWS); row++) {
      double deviation = 0.01 + 0.03 * random.nextDouble();
      for (int col = 0; col < COLS; col++) {
        float weight = (float) (random.nextGaussian() * deviation);
        type.store(segment, offset(row) + (long) col * type.bytes(), weight);
      }
    }
    for (int row = DISTINCT_ROWS; row < rows; row++) {
      long from = offset(row % DISTINCT_ROWS);
      long rotated = (row * 131L) % COLS * type.bytes();
      long rest = rowBytes() - rotated;
      MemorySegment.copy(segment, from + rotated, segment, offset(row), rest);
      MemorySegment.copy(segment, from, segment, offset(row) + rest, rotated);
    }
  }

  /**
   * A buffer that lives as long as the weights. Each begins elsewhere within its page: a load whose
   * address agrees in the lower 12 bits with a store before it waits for that store, and buffers
   * from one allocator tend to agree.
   */
  MemorySegment allocate(long bytes) {
    MemorySegment raw = NativeMemory.allocate(arena, bytes + 2L * PAGE);
    long toPage = Math.ceilDiv(raw.address(), PAGE) * PAGE - raw.address();
    long skew = (long) buffers++ * SKEW % PAGE;
    return raw.asSlice(toPage + skew, bytes);
  }

  long rowBytes() {
    return (long) COLS * type.bytes();
  }

  long bytes() {
    return rows * rowBytes();
  }

  long offset(int row) {
    return row * rowBytes();
  }

  long elements() {
    return (long) rows * COLS;
  }

  ScaleGrid whole() {
    return ScaleGrid.tensor(rows, COLS);
  }

  ScaleGrid channels() {
    return ScaleGrid.channel(rows, COLS);
  }

  ScaleGrid tiles() {
    return ScaleGrid.block(rows, COLS, 128, 128);
  }
}
