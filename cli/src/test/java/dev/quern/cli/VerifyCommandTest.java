package dev.quern.cli;

import static dev.quern.testdata.TinyCheckpoint.HIDDEN;
import static dev.quern.testdata.TinyCheckpoint.LAYER;
import static dev.quern.testdata.TinyCheckpoint.Q_PROJ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TinyCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VerifyCommandTest {
  private static final String SCALE = LAYER + "self_attn.q_proj.weight_scale";

  @TempDir Path temp;
  private Path source;
  private Path compressed;

  @BeforeEach
  void compress() {
    source = TinyCheckpoint.llama("BF16").write(temp.resolve("source"));
    compressed = temp.resolve("compressed");
    compress("FP8_DYNAMIC", source, compressed);
  }

  private static void compress(String scheme, Path source, Path output) {
    QuernProcess run =
        QuernProcess.run(
            "compress", source.toString(), "--scheme", scheme, "--output", output.toString());
    assertThat(run.exitCode()).as(run.err()).isZero();
  }

  @Test
  void soundCheckpointHasNothingWrong() {
    QuernProcess run = QuernProcess.run("verify", compressed.toString());

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .isEqualTo(compressed + ": 19 tensors, 7 quantized modules, nothing wrong\n");
    assertThat(run.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"FP8_DYNAMIC", "FP8_BLOCK"})
  void soundCheckpointAgreesWithItsSource(String scheme) {
    Path output = temp.resolve("again");
    compress(scheme, source, output);

    QuernProcess run = against(output, source);

    assertThat(run.exitCode()).as(run.out()).isZero();
    assertThat(run.out()).contains("nothing wrong").contains("q_proj").contains("dB");
  }

  @Test
  void plainCheckpointHasNoQuantizedModules() {
    QuernProcess run = QuernProcess.run("verify", source.toString());

    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("12 tensors, 0 quantized modules, ").doesNotContain("problem");
  }

  @Test
  void zeroScaleIsAProblem() {
    Path damaged = damaged(tiny -> tiny.set(SCALE, 7, 0));
    isWrong(
        QuernProcess.run("verify", damaged.toString()),
        SCALE + ", element 7: expected a positive finite scale, found 0.0");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, -1})
  void scaleThatIsNoScaleIsAProblem(float value) {
    Path damaged = damaged(tiny -> tiny.set(SCALE, 31, value));
    isWrong(
        QuernProcess.run("verify", damaged.toString()),
        SCALE + ", element 31: expected a positive finite scale, found " + value);
  }

  @Test
  void missingScaleIsAProblem() {
    Path damaged = damaged(tiny -> tiny.without(SCALE));
    isWrong(
        QuernProcess.run("verify", damaged.toString()),
        Q_PROJ + ": config.json says that it is quantized, but it has no scales");
  }

  @Test
  void missingWeightIsAProblem() {
    Path damaged = damaged(tiny -> tiny.without(Q_PROJ));
    isWrong(
        QuernProcess.run("verify", damaged.toString()),
        LAYER + "self_attn.q_proj: neither a weight matrix nor weight_packed");
  }

  @Test
  void wrongDtypeIsAProblem() {
    Path damaged = damaged(tiny -> tiny.random(Q_PROJ, HIDDEN, HIDDEN));
    isWrong(
        QuernProcess.run("verify", damaged.toString()),
        Q_PROJ + ": expected F8_E4M3 [32, 32], found BF16 [32, 32]");
  }

  @Test
  void wrongShapeOfScalesIsAProblem() {
    Path damaged = damaged(tiny -> tiny.random(SCALE, 1, HIDDEN));
    isWrong(
        QuernProcess.run("verify", damaged.toString()),
        SCALE + ": expected BF16 [32, 1], found BF16 [1, 32]");
  }

  @Test
  void moduleThatIsIgnoredButCompressedIsAProblem() throws Exception {
    String config = Files.readString(compressed.resolve("config.json"));
    String ignoring = config.replace("\"lm_head\"", "\"model.layers.0.self_attn.q_proj\"");
    assertThat(ignoring).isNotEqualTo(config);
    Path damaged = damaged(tiny -> tiny.config(ignoring));

    QuernProcess run = QuernProcess.run("verify", damaged.toString());

    isWrong(run, SCALE + ": config.json says that model.layers.0.self_attn.q_proj is not");
    isWrong(run, "lm_head.weight: config.json says that it is quantized, but it has no scales");
  }

  @Test
  void scalesWithoutConfigurationAreAProblem() {
    Path damaged = damaged(tiny -> tiny.config("{\"model_type\": \"llama\"}"));
    isWrong(
        QuernProcess.run("verify", damaged.toString()),
        "weight_scale: is there, but config.json has no quantization_config");
  }

  @Test
  void parametersThatAreCalledScaleAreNoScales() {
    Path damaged = damaged(tiny -> tiny.random("logit_scale", 4).set("logit_scale", 1, -2));
    QuernProcess run = QuernProcess.run("verify", damaged.toString());
    assertThat(run.exitCode()).as(run.out()).isZero();
  }

  @Test
  void codeBeyondTheBoundIsFoundWithTheSource() {
    // The sign of the row's largest code.
    Path damaged = damaged(tiny -> tiny.flip(Q_PROJ, 5 * HIDDEN + 3, 0x80));

    assertThat(QuernProcess.run("verify", damaged.toString()).exitCode()).isZero();
    isWrong(against(damaged, source), "tensor " + Q_PROJ + ": row 5: expected each weight within");
  }

  @Test
  void copyThatDiffersIsFoundWithTheSource() {
    Path damaged = damaged(tiny -> tiny.flip("model.norm.weight", 9, 1));
    isWrong(against(damaged, source), "tensor model.norm.weight: byte 9 differs from the source's");
  }

  @Test
  void missingCopyIsFoundWithTheSource() {
    Path damaged = damaged(tiny -> tiny.without("model.norm.weight"));
    isWrong(against(damaged, source), "model.norm.weight: expected BF16 [32]", "found nothing");
  }

  @Test
  void tensorThatTheSourceLacksIsFound() {
    Path damaged = damaged(tiny -> tiny.random("model.extra", 4));
    isWrong(against(damaged, source), "model.extra: comes from no tensor of the source");
  }

  @Test
  void anotherSourceIsNotTheSource() {
    Path other = TinyCheckpoint.llama("F16").write(temp.resolve("other"));
    isWrong(against(compressed, other), "found BF16 [32, 1]");
  }

  @Test
  void sourceOfAnotherShapeIsNoFault() {
    Path other =
        TinyCheckpoint.llama("BF16")
            .with(Q_PROJ, "BF16", new byte[0], 9_000_000_000L, 0)
            .write(temp.resolve("other"));
    isWrong(against(compressed, other), Q_PROJ + ": this version cannot decompress");
  }

  @Test
  void jsonHasTheProblems() {
    Path damaged = damaged(tiny -> tiny.set(SCALE, 0, 0));

    QuernProcess run = QuernProcess.run("verify", damaged.toString(), "--json");

    Json.Obj json = (Json.Obj) JsonReader.parse(run.out().getBytes(StandardCharsets.UTF_8), "out");
    assertThat(json.members().keySet())
        .containsExactlyInAnyOrder(
            "errors", "model", "ok", "problems", "quantized_modules", "tensors");
    assertThat(json.bool("ok")).contains(false);
    assertThat(json.array("problems").orElseThrow()).hasSize(1);
    assertThat(run.exitCode()).isEqualTo(ExitCode.VERIFICATION);
  }

  @Test
  void memoryTooSmallIsRefused() {
    Path wide =
        TinyCheckpoint.llama("F32")
            .random(LAYER + "mlp.down_proj.weight", 128, 2048)
            .write(temp.resolve("wide"));
    Path output = temp.resolve("wide-fp8");
    compress("FP8_BLOCK", wide, output);

    QuernProcess run =
        QuernProcess.run(
            "verify", output.toString(), "--against", wide.toString(), "--memory", "1MB");

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("down_proj.weight").contains("Raise --memory");
  }

  @Test
  void weightShapeBeyondReasonIsAProblem() {
    String config =
        """
        {"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
          "quantization_status": "compressed", "ignore": [], "config_groups": {"group_0": {
            "targets": ["Linear"], "weights": {"num_bits": 4, "type": "int", "symmetric": true,
            "strategy": "channel"}}}}}
        """;
    String module = LAYER + "self_attn.q_proj";
    byte[] shape = new byte[16];
    shape[15] = 0x7f;
    Path hostile =
        TinyCheckpoint.empty("BF16")
            .with(module + ".weight_packed", "I32", new byte[16], 1, 4)
            .with(module + ".weight_shape", "I64", shape, 2)
            .random(module + ".weight_scale", 1, 1)
            .set(module + ".weight_scale", 0, 1)
            .config(config)
            .write(temp.resolve("hostile"));

    isWrong(QuernProcess.run("verify", hostile.toString()), "weight_shape that fits it");
  }

  @Test
  void quantizationOfAnotherMethodIsRefused() {
    Path gptq =
        TinyCheckpoint.llama("BF16")
            .config("{\"quantization_config\": {\"quant_method\": \"gptq\"}}")
            .write(temp.resolve("gptq"));

    QuernProcess run = QuernProcess.run("verify", gptq.toString());

    assertThat(run.exitCode()).isEqualTo(ExitCode.INPUT);
    assertThat(run.err()).contains("gptq").doesNotContain("\tat ");
  }

  @Test
  void missingSourceIsRefused() {
    QuernProcess run = against(compressed, temp.resolve("nowhere"));

    assertThat(run.exitCode()).isEqualTo(ExitCode.INPUT);
    assertThat(run.err()).contains("nowhere: no such folder");
  }

  private static QuernProcess against(Path output, Path source) {
    return QuernProcess.run("verify", output.toString(), "--against", source.toString());
  }

  private Path damaged(UnaryOperator<TinyCheckpoint> damage) {
    try {
      return damage.apply(LoadedCheckpoint.of(compressed)).write(temp.resolve("damaged"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void isWrong(QuernProcess run, String... problem) {
    assertThat(run.out()).contains("problem: ").contains(problem);
    assertThat(run.err()).doesNotContain("\tat ");
    assertThat(run.exitCode()).isEqualTo(ExitCode.VERIFICATION);
  }
}
