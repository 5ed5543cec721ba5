package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.Nvfp4Search;
import dev.quern.engine.quantization.Nvfp4Weights;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The observer {@code exact}. That it is never further from the weights than any other way to find
 * scales is shown by {@code ExactTableTest} in {@code bench}.
 */
class Nvfp4ExactTest {
  @TempDir Path temp;

  /** A matrix with what is to be compared. */
  private record Weights(FloatType type, MemorySegment bytes, int rows, int cols, int maxBits) {
    float at(int row, int col) {
      return type.load(bytes, ((long) row * cols + col) * type.bytes());
    }

    double squaredError(float global, CodeOf codes) {
      double sum = 0;
      for (int row = 0; row < rows; row++) {
        for (int g = 0; g < cols / 16; g++) {
          sum += squaredError(row, g, codes.of(row, g), global);
        }
      }
      return sum;
    }

    /** In doubles, of the values as they are stored. */
    double squaredError(int row, int g, byte code, float global) {
      float scale = Nvfp4Scales.scale(code, global);
      double sum = 0;
      for (int col = 16 * g; col < 16 * g + 16; col++) {
        float x = at(row, col);
        double stored = (double) Fp4E2M1.decode(Fp4E2M1.encode(x / scale)) * scale;
        sum += (x - stored) * (x - stored);
      }
      return sum;
    }
  }

  private interface CodeOf {
    byte of(int row, int group);
  }

  private static double exact(Weights w, Kernels kernels, Nvfp4Search search) {
    try (Arena arena = Arena.ofConfined()) {
      long elements = (long) w.rows * w.cols;
      MemorySegment packed = arena.allocate(elements / 2);
      MemorySegment codes = arena.allocate(elements / 16);
      Nvfp4Weights.quantize(kernels, w.type, w.bytes, w.rows, w.cols, search, packed, codes);
      return w.squaredError(
          search.scales().global(),
          (row, g) -> codes.get(ValueLayout.JAVA_BYTE, (long) row * w.cols / 16 + g));
    }
  }

  /** The window holds the best of all codes, of those that can be stored. */
  @Test
  void noCodeOutsideOfTheWindowIsBetter() throws Exception {
    int groups = 0;
    try (HuggingFaceCheckpoint checkpoint =
            HuggingFaceCheckpoint.open(TestData.path("golden/source/plain-bf16"));
        Arena arena = Arena.ofConfined()) {
      for (SourceTensor tensor : checkpoint.tensors()) {
        if (!tensor.name().contains("layers.0.") || !tensor.name().endsWith("_proj.weight")) {
          continue;
        }
        Weights w = weights(tensor, arena);
        for (int c = 0; c < Nvfp4Search.GLOBAL_SCALES; c++) {
          Nvfp4Search search = Nvfp4Search.of(w.type, w.maxBits, c);
          float global = search.scales().global();
          double found = exact(w, KernelChoice.withoutVectors(), search);
          double best =
              w.squaredError(
                  global,
                  (row, g) -> {
                    byte least = 1;
                    for (byte code = 2; code < 0x7F; code++) {
                      boolean better =
                          w.squaredError(row, g, code, global)
                              < w.squaredError(row, g, least, global);
                      least = better ? code : least;
                    }
                    return least;
                  });
          assertThat(found).isLessThanOrEqualTo(best * (1 + 1e-6));
          groups += w.rows * w.cols / 16;
        }
      }
    }
    assertThat(groups).isGreaterThan(30_000);
  }

  @Test
  void aModelWithAnyThreadsAndMemory() throws Exception {
    Path source = TestData.path("models/tinystories-656k");
    CompressionOptions one =
        CompressionOptions.of(source, temp.resolve("one"), "NVFP4A16")
            .withWeightObserver("exact")
            .withThreads(1);
    CompressionReport report = Quern.compress(one, Progress.NONE);
    CompressionReport plain =
        Quern.compress(
            CompressionOptions.of(source, temp.resolve("minmax"), "NVFP4A16"), Progress.NONE);
    report
        .errors()
        .forEach(
            (kind, e) ->
                assertThat(e.signalToNoiseDb())
                    .as(kind)
                    .isGreaterThan(plain.errors().get(kind).signalToNoiseDb()));
    Quern.compress(
        CompressionOptions.of(source, temp.resolve("many"), "NVFP4A16")
            .withWeightObserver("exact")
            .withThreads(7)
            .withMemoryBytes(1_000_000),
        Progress.NONE);
    for (String file : List.of("model.safetensors", "config.json")) {
      assertThat(temp.resolve("many").resolve(file))
          .hasSameBinaryContentAs(temp.resolve("one").resolve(file));
    }
    assertThat(temp.resolve("one/config.json")).content().contains("\"observer\": \"exact\"");
    VerificationReport verified =
        Quern.verify(temp.resolve("one"), Optional.of(source), 2, 1 << 26, Progress.NONE);
    assertThat(verified.problems()).isEmpty();
  }

  private static Weights weights(SourceTensor tensor, Arena arena) {
    FloatType type = FloatType.of(tensor.info().dtype()).orElseThrow();
    int rows = Math.toIntExact(tensor.info().dim(0));
    int cols = Math.toIntExact(tensor.info().dim(1));
    MemorySegment bytes = arena.allocate(tensor.info().bytes(), 64);
    bytes.copyFrom(tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena));
    int max = AbsMax.ofRows(KernelChoice.withoutVectors(), type, bytes, rows, cols);
    return new Weights(type, bytes, rows, cols, max);
  }
}
