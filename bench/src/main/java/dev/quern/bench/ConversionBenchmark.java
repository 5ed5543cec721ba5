package dev.quern.bench;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Conversions between the weights' type and binary32, row by row over a large matrix, checked
 * against the scalar law. Both directions count the bytes of the narrow side, so that they compare.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class ConversionBenchmark {

  /** Weights, and the same in binary32. */
  @State(Scope.Thread)
  public static class Widened extends Weights {
    private MemorySegment target;

    @Override
    void prepare() {
      target = allocate(elements() * Float.BYTES);
    }

    void convert() {
      convertRows(this, type, segment, FloatType.F32, target);
    }

    @Override
    void check() {
      LawCheck.converted(type, segment, FloatType.F32, target, rows);
    }
  }

  /** Binary32 values between those of the narrow type, and where they are rounded to. */
  @State(Scope.Thread)
  public static class Narrowed extends Weights {
    private MemorySegment source;
    private MemorySegment target;

    /** Multiplies the weights by a number with a long fraction, so that there is much to round. */
    @Override
    void prepare() {
      source = allocate(elements() * Float.BYTES);
      target = allocate(bytes());
      convertRows(this, type, segment, FloatType.F32, source);
      for (long offset = 0; offset < source.byteSize(); offset += Float.BYTES) {
        FloatType.F32.store(source, offset, FloatType.F32.load(source, offset) * 0.7853982f);
      }
    }

    void convert() {
      convertRows(this, FloatType.F32, source, type, target);
    }

    @Override
    void check() {
      LawCheck.converted(FloatType.F32, source, type, target, rows);
    }
  }

  /** The weights' type to binary32. */
  @Benchmark
  public void toF32(Widened weights) {
    weights.convert();
  }

  /** Binary32 to the weights' type, rounded to nearest even. */
  @Benchmark
  public void fromF32(Narrowed weights) {
    weights.convert();
  }

  private static void convertRows(
      Weights weights, FloatType from, MemorySegment source, FloatType to, MemorySegment target) {
    for (int row = 0; row < weights.rows; row++) {
      long element = (long) row * Weights.COLS;
      weights.kernels.convert(
          from, source, element * from.bytes(), Weights.COLS, to, target, element * to.bytes());
    }
  }
}
