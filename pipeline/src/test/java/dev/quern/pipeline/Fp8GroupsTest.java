package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.testdata.TinyCheckpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** FP8 with a scale for each group of columns, which only a recipe can ask for. */
class Fp8GroupsTest {
  private static final int GROUP = 16;

  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource
  void eachGroupHasItsScale(FloatType type) throws Exception {
    Path in = TinyCheckpoint.llama(type.name()).write(temp.resolve("in"));
    Path out = temp.resolve("out");
    Path recipe =
        Files.writeString(
            temp.resolve("recipe.yaml"),
            """
            quant_stage:
              quant_modifiers:
                QuantizationModifier:
                  config_groups:
                    groups:
                      targets: [Linear]
                      weights: {num_bits: 8, type: float, strategy: group, group_size: 16}
            """);
    CompressionReport report =
        Quern.compress(CompressionOptions.ofRecipe(in, out, recipe), Progress.NONE);

    assertThat(report.plan().warnings())
        .anySatisfy(w -> assertThat(w).contains("vLLM has no scheme"));
    assertThat(Quern.verify(out, Optional.of(in), 2, 64_000_000, Progress.NONE).problems())
        .isEmpty();
    try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(in);
        HuggingFaceCheckpoint written = HuggingFaceCheckpoint.open(out);
        Arena arena = Arena.ofConfined()) {
      MemorySegment weights = map(source, TinyCheckpoint.Q_PROJ, arena);
      MemorySegment codes = map(written, TinyCheckpoint.Q_PROJ, arena);
      MemorySegment scales = map(written, TinyCheckpoint.Q_PROJ + "_scale", arena);
      assertThat(scales.byteSize()).isEqualTo(32L * 32 / GROUP * type.bytes());
      for (int group = 0; group < 32 * 32 / GROUP; group++) {
        float largest = 0;
        for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
          largest = Math.max(largest, Math.abs(type.load(weights, (long) i * type.bytes())));
        }
        float scale = type.load(scales, (long) group * type.bytes());
        assertThat(scale).isEqualTo(type.round(largest / 448));
        for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
          float quotient = type.round(type.load(weights, (long) i * type.bytes()) / scale);
          float clamped = Math.clamp(quotient, -448f, 448f);
          assertThat(codes.get(ValueLayout.JAVA_BYTE, i)).isEqualTo(Fp8E4M3.encode(clamped));
        }
      }
    }
  }

  private static MemorySegment map(HuggingFaceCheckpoint checkpoint, String name, Arena arena) {
    SourceTensor tensor = checkpoint.find(name).orElseThrow();
    return tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
  }
}
