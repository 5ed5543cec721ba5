package dev.quern.bench;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.LayoutKernels;
import dev.quern.engine.kernel.ScalarLayoutKernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.formats.layout.Layout;
import dev.quern.formats.layout.Layouts;
import dev.quern.formats.layout.PackedShape;
import dev.quern.formats.layout.StridedLayout;
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
 * Packing of a weight's codes, far larger than any cache, into kernels' layouts and back, beside a
 * plain copy of the same bytes. An operation is one pass over 28,672 x 8,192 codes, 117 MB of 4
 * bits or 235 MB of 8. Each trial ends with a comparison against the scalar definition on its first
 * tiles.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class LayoutBenchmark {
  /** The gate of a large model, far larger than any cache with 4 bits a code. */
  private static final long ROWS = 28_672;

  private static final long COLUMNS = 8192;

  /** Codes, and the packed tensor of a layout. */
  @State(Scope.Thread)
  public static class Codes {
    /** The layout's id. */
    @Param({"marlin-i4-a16@1", "marlin-i8-a16@1", "gptq-weight-b4@1", "awq-gemm@1", "sf-128x4@1"})
    public String layout;

    private Arena arena;
    private Layout chosen;
    private PackedShape shape;
    private long rowBytes;
    private long bytes;
    private MemorySegment source;
    private MemorySegment target;
    private MemorySegment back;

    /** Fills the codes. */
    @Setup(Level.Trial)
    public void setUp() {
      arena = Arena.ofShared();
      chosen = Layouts.named(layout).orElseThrow();
      rowBytes = COLUMNS * chosen.bits() / 8;
      bytes = ROWS * rowBytes;
      shape = chosen.shape(ROWS, COLUMNS);
      source = NativeMemory.allocate(arena, bytes);
      SplittableRandom random = new SplittableRandom(1);
      for (long at = 0; at < bytes; at += 8) {
        source.set(ValueLayout.JAVA_LONG, at, random.nextLong());
      }
      target = NativeMemory.allocate(arena, shape.bytes());
      back = NativeMemory.allocate(arena, bytes);
    }

    /** Unpacking what was packed gives the codes. */
    @TearDown(Level.Trial)
    public void check() {
      chosen.pack(shape, source, rowBytes, target);
      chosen.unpack(shape, target, back, rowBytes);
      if (back.mismatch(source) >= 0) {
        throw new IllegalStateException(layout + " does not come back");
      }
      if (chosen instanceof StridedLayout strided) {
        IndexStrides strides = strided.strides(shape);
        MemorySegment expected = NativeMemory.allocate(arena, shape.bytes());
        long rows = Math.min(shape.rows(), 2L * chosen.tileRows());
        LayoutKernels law = new ScalarLayoutKernels();
        law.scatter(chosen.bits(), source, 0, rowBytes, 0, rows, COLUMNS, strides, expected, 0);
        MemorySegment some = NativeMemory.allocate(arena, shape.bytes());
        Kernels.best()
            .layouts()
            .scatter(chosen.bits(), source, 0, rowBytes, 0, rows, COLUMNS, strides, some, 0);
        if (expected.mismatch(some) >= 0) {
          throw new IllegalStateException(
              layout + " differs from its law with " + KernelChoice.current());
        }
      }
      arena.close();
    }
  }

  /** The JDK's own copy. */
  @Benchmark
  public void copy(Codes codes) {
    MemorySegment.copy(codes.source, 0, codes.target, 0, codes.bytes);
  }

  /** Rows to tensor. */
  @Benchmark
  public void pack(Codes codes) {
    codes.chosen.pack(codes.shape, codes.source, codes.rowBytes, codes.target);
  }

  /** Tensor to rows. */
  @Benchmark
  public void unpack(Codes codes) {
    codes.chosen.unpack(codes.shape, codes.target, codes.back, codes.rowBytes);
  }
}
