package dev.quern.bench;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.SparseKernels.Element;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.formats.layout.SemiStructured;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * 2:4 matrices far larger than any cache, one for each thread, taken apart and put together, beside
 * a plain copy of as many bytes: operations a second times 134 MB. Every trial ends with a check of
 * the result.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class SparseBenchmark {
  private static final int COLUMNS = 5_632;

  /** Bytes of the dense matrix. */
  static long bytes(Element element) {
    return rows(element) * COLUMNS * element.bytes();
  }

  private static long rows(Element element) {
    return (128L << 20) / element.bytes() / COLUMNS;
  }

  /** A 2:4 matrix. */
  @State(Scope.Thread)
  public static class Sparse {
    /** What its elements are. */
    @Param({"FLOAT16"})
    public Element element;

    private Arena arena;
    private MemorySegment dense;
    private MemorySegment back;
    private MemorySegment values;
    private MemorySegment nibbles;

    /** Fills the matrix. */
    @Setup(Level.Trial)
    public void setUp() {
      ForkReport.require(KernelChoice.current());
      SplittableRandom random = new SplittableRandom(24);
      arena = Arena.ofConfined();
      dense = NativeMemory.allocate(arena, bytes(element));
      back = NativeMemory.allocate(arena, bytes(element));
      for (long quad = 0; quad < dense.byteSize(); quad += 4L * element.bytes()) {
        int first = random.nextInt(4);
        int second = (first + 1 + random.nextInt(3)) % 4;
        for (int i = 0; i < 4 * element.bytes(); i++) {
          int place = i / element.bytes();
          boolean kept = place == first || place == second;
          dense.set(ValueLayout.JAVA_BYTE, quad + i, (byte) (kept ? random.nextInt(1, 128) : 0));
        }
      }
      long rows = rows(element);
      values = NativeMemory.allocate(arena, SemiStructured.valueBytes(element, rows, COLUMNS));
      nibbles = NativeMemory.allocate(arena, rows * SemiStructured.nibbleBytes(COLUMNS));
      compress();
    }

    void compress() {
      SemiStructured.compress(element, dense, rows(element), COLUMNS, values, nibbles);
    }

    void decompress() {
      SemiStructured.decompress(element, values, nibbles, rows(element), COLUMNS, back);
    }

    /** Put together again, it must be the matrix. */
    @TearDown(Level.Trial)
    public void tearDown() {
      decompress();
      LawCheck.require("2:4 matrix", dense.mismatch(back));
      arena.close();
    }
  }

  /** The matrix, byte for byte. */
  @Benchmark
  public void copy(Sparse matrix) {
    MemorySegment.copy(matrix.dense, 0, matrix.back, 0, matrix.dense.byteSize());
  }

  /** From rows to kept values and nibbles. */
  @Benchmark
  public void compress24(Sparse matrix) {
    matrix.compress();
  }

  /** From kept values and nibbles to rows. */
  @Benchmark
  public void decompress24(Sparse matrix) {
    matrix.decompress();
  }
}
