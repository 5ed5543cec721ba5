package dev.quern.cli;

import static dev.quern.testdata.TinyCheckpoint.LAYER;
import static dev.quern.testdata.TinyCheckpoint.Q_PROJ;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import dev.quern.testdata.TinyCheckpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompressCommandTest {
  @TempDir Path temp;

  private Path output() {
    return temp.resolve("out");
  }

  private QuernProcess compress(Path model, String... more) {
    List<String> args = new ArrayList<>();
    args.addAll(List.of("compress", model.toString(), "--scheme", "fp8_dynamic"));
    args.addAll(List.of("--output", output().toString()));
    args.addAll(Arrays.asList(more));
    return QuernProcess.run(args.toArray(String[]::new));
  }

  private Path tiny() {
    return TinyCheckpoint.llama("BF16").write(temp.resolve("in"));
  }

  private static Json.Obj json(String text) {
    return (Json.Obj) JsonReader.parse(text.getBytes(StandardCharsets.UTF_8), "out");
  }

  @Test
  void summarySaysWhatWasDone() throws Exception {
    QuernProcess run = compress(TestData.path("golden/source/plain-bf16"));

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("layer kind")
        .containsPattern("down_proj +65,536 +\\d\\.\\d{3} % +\\d\\.\\d{3} % +\\d\\d\\.\\d dB")
        .containsPattern("FP8_DYNAMIC: 640 kB -> 34\\d kB \\(1\\.8\\d : 1\\), 14 of 21 tensors")
        .endsWith(output() + "\n");
    assertThat(run.err()).isEqualTo("quern: compress 640 kB\nquern: verify 640 kB\n");
    assertThat(temp).isDirectoryNotContaining("glob:**/.*");
  }

  @Test
  void jsonIsOneDocument() {
    QuernProcess run = compress(tiny(), "--json");

    Json.Obj json = json(run.out());
    assertThat(json.members().keySet())
        .containsExactlyInAnyOrder(
            "bytes_after",
            "bytes_before",
            "compress_seconds",
            "copied_files",
            "dropped_tensors",
            "errors",
            "model",
            "output",
            "quantization_config",
            "quantized_tensors",
            "ratio",
            "scheme",
            "shards",
            "verify_seconds",
            "warnings");
    assertThat(json.string("scheme")).contains("FP8_DYNAMIC");
    assertThat(json.integer("quantized_tensors")).contains(7L);
    assertThat(json.object("errors").orElseThrow().object("q_proj").orElseThrow().members())
        .containsOnlyKeys(
            "elements", "mean_relative_error", "signal_to_noise_db", "worst_relative_error");
  }

  @Test
  void dryRunListsEveryTensorAndWritesNothing() throws Exception {
    Path model = tiny();
    Map<String, String> before = FolderState.of(temp);

    QuernProcess run = compress(model, "--dry-run");

    assertThat(run.exitCode()).isZero();
    for (String name : TinyCheckpoint.llama("BF16").names()) {
      boolean quantized = name.endsWith("_proj.weight");
      assertThat(run.out())
          .containsPattern(name + " +\\[[0-9, ]+\\] +BF16 +" + (quantized ? "quantize" : "copy"));
    }
    assertThat(run.out())
        .containsPattern("q_proj.weight .*FP8_DYNAMIC, float-quantized +2\\.05 kB +1\\.09 kB")
        .containsPattern("lm_head.weight .*ignored by lm_head")
        .containsPattern("embed_tokens.weight .*embedding")
        .contains("7 of 12 tensors are quantized")
        .contains("Nothing was written");
    assertThat(FolderState.of(temp)).isEqualTo(before);
  }

  @Test
  void dryRunAsJsonHasTheTensors() {
    QuernProcess run = compress(tiny(), "--dry-run", "--json");

    List<Json> tensors = json(run.out()).array("tensors").orElseThrow();
    assertThat(tensors).hasSize(12);
    assertThat(((Json.Obj) tensors.get(0)).members())
        .containsOnlyKeys(
            "bytes_after",
            "bytes_before",
            "dtype",
            "fate",
            "name",
            "outputs",
            "reason",
            "rule",
            "shape",
            "sources");
  }

  @Test
  void ignoreLeavesModulesAsTheyAre() {
    compress(tiny(), "--ignore", "re:.*self_attn.*", "--ignore", LAYER + "mlp.up_proj");

    assertThat(dtype(Q_PROJ)).isEqualTo(DType.BF16);
    assertThat(dtype(LAYER + "mlp.up_proj.weight")).isEqualTo(DType.BF16);
    assertThat(dtype(LAYER + "mlp.down_proj.weight")).isEqualTo(DType.F8_E4M3);
  }

  @Test
  void ignoreThatMatchesNothingIsAWarning() {
    QuernProcess run = compress(tiny(), "--ignore", "re:.*experts.*");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err())
        .contains("quern: warning: --ignore re:.*experts.* matches no module; is it misspelt?");
  }

  @Test
  void targetsChooseModules() {
    compress(tiny(), "--targets", "re:.*down_proj");

    assertThat(dtype(Q_PROJ)).isEqualTo(DType.BF16);
    assertThat(dtype(LAYER + "mlp.down_proj.weight")).isEqualTo(DType.F8_E4M3);
  }

  @Test
  void strangeTensorThatIsNotTargetedIsCopied() {
    Path model =
        TinyCheckpoint.llama("BF16")
            .with(Q_PROJ, "F64", new byte[128], 4, 4)
            .write(temp.resolve("in"));

    QuernProcess run = compress(model, "--targets", "re:.*down_proj");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(dtype(Q_PROJ)).isEqualTo(DType.F64);
  }

  @Test
  void convolutionsAndNumberedNormsAreCopied() {
    Path model =
        TinyCheckpoint.llama("BF16")
            .random("visual.blocks.0.attn.proj.weight", 32, 32)
            .random("visual.patch_embed.proj.weight", 4, 3, 2, 2, 2)
            .random("connector.1.weight", 32, 32)
            .random("projector.1.weight", 32)
            .write(temp.resolve("in"));

    QuernProcess run = compress(model);

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(dtype("visual.blocks.0.attn.proj.weight")).isEqualTo(DType.F8_E4M3);
    assertThat(dtype("visual.patch_embed.proj.weight")).isEqualTo(DType.BF16);
    assertThat(dtype("projector.1.weight")).isEqualTo(DType.BF16);
  }

  @Test
  void headStaysUnlessATargetNamesIt() {
    compress(tiny());
    assertThat(dtype("lm_head.weight")).isEqualTo(DType.BF16);

    compress(tiny(), "--overwrite", "--targets", "Linear", "--targets", "lm_head");
    assertThat(dtype("lm_head.weight")).isEqualTo(DType.F8_E4M3);
    assertThat(dtype(Q_PROJ)).isEqualTo(DType.F8_E4M3);
  }

  @Test
  void smallShardsHaveAnIndex() {
    QuernProcess run = compress(tiny(), "--max-shard-size", "3kB");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(output().resolve("model.safetensors.index.json")).exists();
    try (HuggingFaceCheckpoint written = HuggingFaceCheckpoint.open(output())) {
      assertThat(written.files()).hasSizeGreaterThan(3);
      assertThat(written.tensors()).hasSize(19);
      for (var file : written.files()) {
        assertThat(file.tensors().stream().mapToLong(t -> t.bytes()).sum())
            .isLessThanOrEqualTo(3000);
      }
    }
  }

  @Test
  void shardsComeFromShards() {
    Path model = TinyCheckpoint.llama("F16").writeTwoShards(temp.resolve("in"));

    assertThat(compress(model).exitCode()).isZero();

    assertThat(output().resolve("model.safetensors")).exists();
    assertThat(output().resolve("model.safetensors.index.json")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.empty", "model.layers.0.mlp.empty", "zz.empty"})
  void emptyTensorsAreKept(String name) {
    Path model = TinyCheckpoint.llama("BF16").random(name, 0, 5).write(temp.resolve("in"));

    QuernProcess run = compress(model, "--threads", "1", "--max-shard-size", "1kB");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(dtype(name)).isEqualTo(DType.BF16);
  }

  @Test
  void overwriteReplacesTheWholeFolder() throws Exception {
    Path model = tiny();
    compress(model, "--max-shard-size", "1kB");
    Files.writeString(output().resolve("notes.txt"), "of the old one");

    QuernProcess run = compress(model, "--overwrite");

    assertThat(run.exitCode()).as(run.err()).isZero();
    try (var files = Files.list(output())) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json", "model.safetensors", "recipe.yaml", "report.html", "report.json");
    }
    try (var files = Files.list(temp)) {
      assertThat(files.map(f -> f.getFileName().toString())).containsExactlyInAnyOrder("in", "out");
    }
  }

  @Test
  void overwriteThatFailsKeepsTheOldOne() throws Exception {
    compress(tiny());
    TinyCheckpoint.llama("BF16").set(Q_PROJ, 0, Float.NaN).write(temp.resolve("in"));
    Map<String, String> before = FolderState.of(temp);

    QuernProcess run = compress(temp.resolve("in"), "--overwrite");

    assertThat(run.exitCode()).isEqualTo(ExitCode.INPUT);
    assertThat(FolderState.of(temp)).isEqualTo(before);
  }

  @Test
  void emptyFolderIsTaken() throws Exception {
    Files.createDirectory(output());
    assertThat(compress(tiny()).exitCode()).isZero();
    assertThat(output().resolve("config.json")).exists();
  }

  @Test
  void linkToAFolderStaysALink() throws Exception {
    Files.createDirectory(temp.resolve("disk"));
    Files.createSymbolicLink(output(), temp.resolve("disk"));

    assertThat(compress(tiny()).exitCode()).isZero();

    assertThat(output()).isSymbolicLink();
    assertThat(temp.resolve("disk/config.json")).exists();
  }

  @Test
  void otherFilesAreCopiedAndForeignWeightsGetAnIndex() throws Exception {
    Path model = tiny();
    Files.writeString(model.resolve("tokenizer.json"), "{}");
    Files.createDirectories(model.resolve("assets/deep"));
    Files.writeString(model.resolve("assets/deep/picture.svg"), "<svg/>");
    Files.copy(model.resolve("model.safetensors"), model.resolve("adapter.safetensors"));
    Files.write(model.resolve("pytorch_model.bin"), new byte[3]);

    QuernProcess run = compress(model, "--json");

    assertThat(output().resolve("tokenizer.json")).hasContent("{}");
    assertThat(output().resolve("assets/deep/picture.svg")).hasContent("<svg/>");
    assertThat(output().resolve("adapter.safetensors"))
        .hasSameBinaryContentAs(model.resolve("model.safetensors"));
    assertThat(output().resolve("pytorch_model.bin")).doesNotExist();
    assertThat(output().resolve("model.safetensors.index.json")).exists();
    assertThat(json(run.out()).array("copied_files").orElseThrow()).hasSize(3);
  }

  @Test
  void configKeepsEverythingAndGainsTheQuantization() {
    Path model = tiny();
    compress(model);

    Json.Obj before = JsonReader.readObject(model.resolve("config.json"));
    Json.Obj after = JsonReader.readObject(output().resolve("config.json"));
    assertThat(after.without("quantization_config")).isEqualTo(before);
    assertThat(after.object("quantization_config")).isPresent();
  }

  @Test
  void namesCannotWriteToTheTerminal() {
    Path model =
        TinyCheckpoint.llama("BF16")
            .random("x\\u001b[2Jy\\nquern: done", 4)
            .write(temp.resolve("in"));

    QuernProcess run = compress(model, "--dry-run");

    assertThat(run.out()).contains("x?[2Jy?quern: done").doesNotContain("\u001b");
  }

  private DType dtype(String tensor) {
    try (HuggingFaceCheckpoint written = HuggingFaceCheckpoint.open(output())) {
      SourceTensor found = written.find(tensor).orElseThrow();
      return found.info().dtype();
    }
  }
}
