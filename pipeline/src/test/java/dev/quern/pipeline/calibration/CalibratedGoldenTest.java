package dev.quern.pipeline.calibration;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.pipeline.CompressionOptions;
import dev.quern.pipeline.Progress;
import dev.quern.pipeline.Quern;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Calibrated checkpoints against the reference's: configuration, names, dtypes and shapes equal,
 * scales of weights equal, codes nearly all equal where both compute in f32, and layer errors about
 * its own or smaller.
 *
 * <p>Of bf16 models the reference rounds every activation to bf16, where we compute in f32. Solvers
 * amplify the difference from column to column, so codes part: 81 % of W4A16, 91 % of W8A8 and 79 %
 * of W4A16 with actorder group are equal. Layer errors do not: they are 1.001, 0.961 and 0.973 of
 * the reference's, by Hessians of the source.
 */
class CalibratedGoldenTest {
  private static final Path TOKENS = TestData.path("golden/calibration_tokens.safetensors");

  @TempDir private Path temp;

  private static CompressionOptions solved(String dtype, String scheme, String order, Path out) {
    return CompressionOptions.of(TestData.path("golden/source/plain-" + dtype), out, scheme)
        .withAlgorithm(
            "gptq", Optional.ofNullable(order), OptionalInt.empty(), OptionalDouble.empty())
        .withCalibration(TOKENS);
  }

  private static Path golden(String name) {
    return TestData.path("golden/schemes/" + name);
  }

  @ParameterizedTest
  @CsvSource({
    "GPTQ-W4A16-f32, W4A16, 0.999",
    "GPTQ-W4A16_ASYM-f32, W4A16_ASYM, 0.999",
    "GPTQ-NVFP4-f32, NVFP4, 0.98",
  })
  void codesOfModelsInF32AreTheReferences(String name, String scheme, double least)
      throws Exception {
    Path out = temp.resolve("out");
    Quern.compress(solved("f32", scheme, null, out), Progress.NONE);

    Agreement agreement = Agreement.of(out, golden(name));
    assertThat(agreement.codes()).isGreaterThanOrEqualTo(least);
    assertThat(agreement.weightScales()).isEqualTo(1);
    assertThat(agreement.farthestActivationScale()).isLessThan(2e-3);
    assertThat(config(out)).isEqualTo(config(golden(name)));
  }

  @ParameterizedTest
  @CsvSource({
    "GPTQ-W4A16-bf16, W4A16, , 0.80, 1.005",
    "GPTQ-W8A8-bf16, W8A8, , 0.90, 0.98",
    // Its scales are f32 while it solves and rounded afterwards; ours are always the stored ones.
    "GPTQ-W4A16-group-bf16, W4A16, group, 0.78, 0.98",
  })
  void errorsOfModelsInBf16AreTheReferencesOrSmaller(
      String name, String scheme, String order, double codes, double error) throws Exception {
    Path out = temp.resolve("out");
    Quern.compress(solved("bf16", scheme, order, out), Progress.NONE);

    Agreement agreement = Agreement.of(out, golden(name));
    assertThat(agreement.codes()).isGreaterThanOrEqualTo(codes);
    assertThat(agreement.weightScales()).isGreaterThan(0.99);
    assertThat(config(out)).isEqualTo(config(golden(name)));
    Path source = TestData.path("golden/source/plain-bf16");
    double ours = LayerErrors.sum(source, TOKENS, out);
    double theirs = LayerErrors.sum(source, TOKENS, golden(name));
    assertThat(ours).isLessThanOrEqualTo(error * theirs);
  }

  @ParameterizedTest
  @CsvSource({"FP8-bf16, FP8", "NVFP4-bf16, NVFP4"})
  void staticScalesAreTheReferences(String name, String scheme) throws Exception {
    Path out = temp.resolve("out");
    Quern.compress(
        CompressionOptions.of(TestData.path("golden/source/plain-bf16"), out, scheme)
            .withCalibration(TOKENS),
        Progress.NONE);

    requireRounded(Agreement.of(out, golden(name)));
    assertThat(config(out)).isEqualTo(config(golden(name)));
  }

  @Test
  void severalSchemesInOneModelAreTheReferences() throws Exception {
    Path out = temp.resolve("out");
    Quern.compress(
        CompressionOptions.ofSchemes(
                TestData.path("golden/source/plain-bf16"),
                out,
                List.of("NVFP4:re:.*mlp.*", "FP8_DYNAMIC:re:.*self_attn.(q|k|v|o)_proj"))
            .withCalibration(TOKENS),
        Progress.NONE);

    requireRounded(Agreement.of(out, golden("MIXED-bf16")));
    assertThat(config(out)).isEqualTo(config(golden("MIXED-bf16")));
  }

  @Test
  void scalesOfTheCacheAreTheReferences() throws Exception {
    Path out = temp.resolve("out");
    Path recipe = temp.resolve("recipe.yaml");
    Files.writeString(
        recipe,
        """
        default_stage:
          default_modifiers:
            QuantizationModifier:
              targets: [Linear]
              ignore: [lm_head]
              scheme: FP8_DYNAMIC
              kv_cache_scheme: {num_bits: 8, type: float, strategy: tensor, dynamic: false,
                symmetric: true}
        """);
    CompressionOptions options =
        CompressionOptions.ofRecipe(TestData.path("golden/source/plain-bf16"), out, recipe)
            .withCalibration(TOKENS);
    Quern.compress(options, Progress.NONE);

    assertThat(config(out)).isEqualTo(config(golden("FP8_DYNAMIC-kv-bf16")));
    Agreement all = Agreement.of(out, golden("FP8_DYNAMIC-kv-bf16"));
    assertThat(all.codes()).isEqualTo(1);
    assertThat(all.weightScales()).isEqualTo(1);
    assertThat(all.activationScales()).isEqualTo(4);
    // The reference keeps the last sample's range, and ours is that of all: never smaller.
    assertThat(all.smallestActivationRatio()).isGreaterThan(0.985);
  }

  /** The smallest budget holds a part of the samples' states, and the others go to a file. */
  @ParameterizedTest
  @CsvSource({"W4A16, group, 1, 2", "NVFP4, static, 1, 7"})
  void threadsAndMemoryLeaveNoTrace(String scheme, String order, int some, int others)
      throws Exception {
    Path one = temp.resolve("one");
    Path other = temp.resolve("other");
    Quern.compress(solved("bf16", scheme, order, one).withThreads(some), Progress.NONE);
    Quern.compress(
        solved("bf16", scheme, order, other).withThreads(others).withMemoryBytes(1_000_000),
        Progress.NONE);
    assertThat(other.resolve("model.safetensors"))
        .hasSameBinaryContentAs(one.resolve("model.safetensors"));
  }

  /** Weights as without calibration; ranges within the rounding of bf16 activations. */
  private static void requireRounded(Agreement agreement) {
    assertThat(agreement.codes()).isEqualTo(1);
    assertThat(agreement.weightScales()).isEqualTo(1);
    assertThat(agreement.farthestActivationScale()).isLessThan(0.02);
  }

  private static String config(Path folder) {
    Json.Obj config = JsonReader.readObject(folder.resolve("config.json"));
    Json.Obj quantization = config.object("quantization_config").orElseThrow();
    return JsonWriter.pretty(config.with("quantization_config", quantization.without("version")));
  }

  /**
   * How alike two checkpoints are that have the same tensors.
   *
   * @param codes share of equal codes of weights
   * @param weightScales share of equal scales of weights
   * @param activationScales how many scales of activations there are
   * @param farthestActivationScale the largest relative difference of one
   * @param smallestActivationRatio the smallest quotient of one of ours by theirs
   */
  private record Agreement(
      double codes,
      double weightScales,
      int activationScales,
      double farthestActivationScale,
      double smallestActivationRatio) {

    static Agreement of(Path ours, Path theirs) {
      long[] codes = new long[2];
      long[] scales = new long[2];
      int activations = 0;
      double farthest = 0;
      double smallest = Double.POSITIVE_INFINITY;
      try (SafetensorsFile a = SafetensorsFile.open(ours.resolve("model.safetensors"));
          SafetensorsFile b = SafetensorsFile.open(theirs.resolve("model.safetensors"));
          Arena arena = Arena.ofConfined()) {
        assertThat(a.tensors().stream().map(TensorInfo::spec).toList())
            .isEqualTo(b.tensors().stream().map(TensorInfo::spec).toList());
        for (TensorInfo tensor : b.tensors()) {
          String name = tensor.spec().name();
          MemorySegment one = a.map(a.find(name).orElseThrow(), 0, tensor.spec().bytes(), arena);
          MemorySegment other = b.map(tensor, 0, tensor.spec().bytes(), arena);
          String parameter = name.substring(name.lastIndexOf('.') + 1);
          boolean stored =
              tensor.spec().dtype() == DType.I8 || tensor.spec().dtype() == DType.F8_E4M3;
          if (parameter.equals("weight_packed")) {
            count(one, other, 4, codes);
          } else if (parameter.equals("weight") && stored) {
            count(one, other, 8, codes);
          } else if (parameter.startsWith("weight_") && !parameter.equals("weight_g_idx")) {
            count(one, other, 8, scales);
          } else if (parameter.endsWith("_scale")) {
            FloatType type = FloatType.of(tensor.spec().dtype()).orElseThrow();
            double ratio = type.load(one, 0) / type.load(other, 0);
            farthest = Math.max(farthest, Math.abs(ratio - 1));
            smallest = Math.min(smallest, ratio);
            activations++;
          } else if (!parameter.equals("weight_g_idx")) {
            assertThat(one.mismatch(other)).as(name).isEqualTo(-1);
          }
        }
      }
      return new Agreement(share(codes), share(scales), activations, farthest, smallest);
    }

    private static double share(long[] equalOf) {
      assertThat(equalOf[1]).isPositive();
      return (double) equalOf[0] / equalOf[1];
    }

    /** Counts equal pieces of so many bits. */
    private static void count(MemorySegment one, MemorySegment other, int bits, long[] equalOf) {
      for (long i = 0; i < one.byteSize(); i++) {
        int difference = one.get(JAVA_BYTE, i) ^ other.get(JAVA_BYTE, i);
        for (int shift = 0; shift < 8; shift += bits) {
          equalOf[0] += (difference >> shift & (1 << bits) - 1) == 0 ? 1 : 0;
          equalOf[1]++;
        }
      }
    }
  }
}
