package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The benchmarks' own checks: they pass after a run, and see a single wrong byte. */
class BenchmarkResultsTest {
  private static final int KIBIBYTES = 1_600;
  private static final Fp8Benchmark FP8 = new Fp8Benchmark();
  private static final ConversionBenchmark CONVERSION = new ConversionBenchmark();

  private static <T extends Weights> T ready(T weights, FloatType type) {
    weights.type = type;
    weights.kibibytes = KIBIBYTES;
    if (weights instanceof Fp8Benchmark.Quantized quantized) {
      quantized.passes = 1;
    }
    weights.setUp();
    return weights;
  }

  @ParameterizedTest
  @EnumSource
  void everyBenchmarkPassesItsCheck(FloatType type) {
    Fp8Benchmark.Copied copied = ready(new Fp8Benchmark.Copied(), type);
    FP8.copy(copied);
    copied.tearDown();

    Fp8Benchmark.Maxima maxima = ready(new Fp8Benchmark.Maxima(), type);
    FP8.absMaxTensor(maxima);
    maxima.tearDown();
    maxima = ready(new Fp8Benchmark.Maxima(), type);
    FP8.absMaxRow(maxima);
    maxima.tearDown();
    maxima = ready(new Fp8Benchmark.Maxima(), type);
    FP8.absMaxTile(maxima);
    maxima.tearDown();

    Fp8Benchmark.Quantized quantized = ready(new Fp8Benchmark.Quantized(), type);
    FP8.quantizeChannel(quantized);
    quantized.check();
    FP8.quantizeBlock(quantized);
    quantized.check();
    FP8.quantizeTensor(quantized);
    quantized.check();
    FP8.quantizeChannelScalar(quantized);
    quantized.tearDown();

    Fp8Benchmark.Dequantized dequantized = ready(new Fp8Benchmark.Dequantized(), type);
    FP8.dequantizeChannel(dequantized);
    dequantized.tearDown();

    Fp4Benchmark fp4 = new Fp4Benchmark();
    Fp4Benchmark.Quantized micro = ready(new Fp4Benchmark.Quantized(), type);
    fp4.quantizeNvfp4(micro);
    micro.check();
    fp4.quantizeNvfp4Exact(micro);
    micro.check();
    fp4.quantizeMxfp4(micro);
    micro.check();
    fp4.quantizeMxfp8(micro);
    micro.check();
    fp4.dequantizeNvfp4(micro);
    micro.check();
    fp4.dequantizeMxfp8(micro);
    micro.tearDown();

    PruneBenchmark prune = new PruneBenchmark();
    PruneBenchmark.Pruned pruned = ready(new PruneBenchmark.Pruned(), type);
    prune.countDigits(pruned);
    pruned.check();
    prune.magnitude24(pruned);
    pruned.check();
    prune.magnitude48(pruned);
    pruned.check();
    prune.wanda24(pruned);
    pruned.check();
    prune.pruneBelow(pruned);
    pruned.tearDown();

    ConversionBenchmark.Widened widened = ready(new ConversionBenchmark.Widened(), type);
    CONVERSION.toF32(widened);
    widened.tearDown();
    ConversionBenchmark.Narrowed narrowed = ready(new ConversionBenchmark.Narrowed(), type);
    CONVERSION.fromF32(narrowed);
    narrowed.tearDown();
  }

  @Test
  void aBenchmarkThatDidNothingFails() {
    assertVoid(ready(new Fp8Benchmark.Copied(), FloatType.BF16), "copy");
    assertVoid(ready(new Fp8Benchmark.Dequantized(), FloatType.BF16), "dequantized row 0");
    assertVoid(ready(new ConversionBenchmark.Widened(), FloatType.BF16), "converted row 0");
    assertVoid(ready(new ConversionBenchmark.Narrowed(), FloatType.F16), "converted row 0");
  }

  private static <T extends LinalgBenchmark.Matrices> T ready(T matrices) {
    matrices.workers = 2;
    matrices.n = 70;
    matrices.setUp();
    return matrices;
  }

  @Test
  void productsAndFactorsPassTheirChecks() throws Exception {
    LinalgBenchmark linalg = new LinalgBenchmark();
    LinalgBenchmark.Products products = ready(new LinalgBenchmark.Products());
    assertThat(linalg.peak(products)).isFinite();
    linalg.gemm(products);
    products.check();
    products.c.set(69, 69, products.c.get(69, 69) + 1e-5f);
    assertThatThrownBy(products::check)
        .hasMessageContaining("row 69 of the product differs from the scalar law");
    linalg.gemm(products);
    products.tearDown();

    LinalgBenchmark.Triangles triangles = ready(new LinalgBenchmark.Triangles());
    linalg.syrk(triangles);
    triangles.tearDown();

    LinalgBenchmark.Factors factors = ready(new LinalgBenchmark.Factors());
    factors.copy();
    linalg.inverseFactor(factors);
    factors.check();
    factors.c.set(0, 69, factors.c.get(0, 69) + 0.1f);
    assertThatThrownBy(factors::check).hasMessageContaining("differs from the scalar law");
    factors.copy();
    linalg.inverseFactor(factors);
    factors.tearDown();
  }

  @Test
  void oneWrongCodeFails() {
    Fp8Benchmark.Quantized quantized = ready(new Fp8Benchmark.Quantized(), FloatType.BF16);
    FP8.quantizeChannel(quantized);
    flip(quantized.codes, (quantized.rows - 1L) * Weights.COLS + 5);
    assertVoid(quantized, "code in row " + (quantized.rows - 1));
  }

  @Test
  void oneWrongScaleFails() {
    Fp8Benchmark.Quantized quantized = ready(new Fp8Benchmark.Quantized(), FloatType.BF16);
    FP8.quantizeBlock(quantized);
    flip(quantized.scales, 2);
    assertVoid(quantized, "scale in grid row 0");
  }

  @Test
  void oneWrongMaximumFails() {
    Fp8Benchmark.Maxima maxima = ready(new Fp8Benchmark.Maxima(), FloatType.F32);
    FP8.absMaxRow(maxima)[0]++;
    assertVoid(maxima, "maxima of grid row 0");
  }

  @Test
  void aJvmWithOtherKernelsIsRefused() {
    int bits = KernelChoice.current().vectorBits();
    assertThatCode(() -> ForkReport.require(KernelChoice.current(), bits))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> ForkReport.require(KernelChoice.current(), bits + 128))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("started for kernels of " + (bits + 128) + " bits and has " + bits);
  }

  private static void flip(MemorySegment segment, long offset) {
    byte old = segment.get(ValueLayout.JAVA_BYTE, offset);
    segment.set(ValueLayout.JAVA_BYTE, offset, (byte) (old ^ 1));
  }

  private static void assertVoid(Weights weights, String what) {
    assertThatThrownBy(weights::tearDown)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(what + " differs from the scalar law")
        .hasMessageContaining("the rates are void");
  }
}
