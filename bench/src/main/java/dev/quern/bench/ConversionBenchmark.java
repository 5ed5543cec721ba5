package dev.quern.bench;

import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Conversions between the weights' type and binary32, row by row over a large matrix, checked
 * against the scalar law.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class ConversionBenchmark {

  /** The weights in binary32. */
  @State(Scope.Thread)
  public static class Widened {
    MemorySegment target;

    /** Touches every page. */
    @Setup(Level.Trial)
    public void setUp(Weights weights) {
      target = weights.allocate(weights.elements() * Float.BYTES);
    }

    /** Compares some rows. */
    @TearDown(Level.Trial)
    public void check(Weights weights) {
      LawCheck.converted(weights.type, weights.segment, FloatType.F32, target, weights.rows);
    }
  }

  /** A matrix of binary32 values between those of the narrow type, and where they are rounded. */
  @State(Scope.Thread)
  public static class Narrowed {
    private Arena arena;
    MemorySegment source;
    MemorySegment target;

    /** Multiplies the weights by a number with a long fraction, so that there is much to round. */
    @Setup(Level.Trial)
    public void setUp(Weights weights) {
      arena = Arena.ofConfined();
      source = weights.allocate(weights.elements() * Float.BYTES);
      target = weights.allocate(weights.bytes());
      MemorySegment row = NativeMemory.allocate(arena, (long) Weights.COLS * Float.BYTES);
      for (int r = 0; r < weights.rows; r++) {
        weights.kernels.convert(
            weights.type, weights.segment, weights.offset(r), Weights.COLS, FloatType.F32, row, 0);
        long offset = (long) r * Weights.COLS * Float.BYTES;
        for (int c = 0; c < Weights.COLS; c++) {
          float weight = FloatType.F32.load(row, 4L * c);
          FloatType.F32.store(source, offset + 4L * c, weight * 0.7853982f);
        }
      }
    }

    /** Compares some rows. */
    @TearDown(Level.Trial)
    public void check(Weights weights) {
      LawCheck.converted(FloatType.F32, source, weights.type, target, weights.rows);
      arena.close();
    }
  }

  /** The weights' type to binary32. */
  @Benchmark
  public void toF32(Weights weights, Widened widened, SourceBytes source) {
    convert(weights, weights.type, weights.segment, FloatType.F32, widened.target);
    source.add(weights.bytes());
  }

  /** Binary32 to the weights' type, rounded to nearest even. */
  @Benchmark
  public void fromF32(Weights weights, Narrowed narrowed, SourceBytes source) {
    convert(weights, FloatType.F32, narrowed.source, weights.type, narrowed.target);
    source.add(narrowed.source.byteSize());
  }

  private static void convert(
      Weights weights, FloatType from, MemorySegment source, FloatType to, MemorySegment target) {
    for (int row = 0; row < weights.rows; row++) {
      long element = (long) row * Weights.COLS;
      weights.kernels.convert(
          from, source, element * from.bytes(), Weights.COLS, to, target, element * to.bytes());
    }
  }
}
