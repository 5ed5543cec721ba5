package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

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

class DecompressCommandTest {
  private static final Path W4A16 = TestData.path("golden/schemes/W4A16-bf16");
  private static final Path NVFP4 = TestData.path("golden/schemes/NVFP4-bf16");

  @TempDir Path temp;

  private Path output() {
    return temp.resolve("out");
  }

  private QuernProcess decompress(Path model, String... more) {
    List<String> args = new ArrayList<>();
    args.addAll(List.of("decompress", model.toString(), "--output", output().toString()));
    args.addAll(Arrays.asList(more));
    return QuernProcess.run(args.toArray(String[]::new));
  }

  private static Json.Obj json(String text) {
    return (Json.Obj) JsonReader.parse(text.getBytes(StandardCharsets.UTF_8), "out");
  }

  @Test
  void summarySaysWhatWasDone() {
    QuernProcess run = decompress(W4A16);

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .containsPattern(
            "compressed-tensors: 203 kB -> 640 kB, 14 of 21 tensors dequantized to BF16")
        .endsWith(output() + "\n");
    assertThat(run.err()).isEqualTo("quern: decompress 640 kB\nquern: verify 640 kB\n");
    assertThat(temp).isDirectoryNotContaining("glob:**/.*");
  }

  @Test
  void jsonIsOneDocument() {
    Json.Obj json = json(decompress(NVFP4, "--json").out());

    assertThat(json.string("quantization")).contains("compressed-tensors");
    assertThat(json.string("dtype")).contains("BF16");
    assertThat(json.integer("dequantized_tensors")).contains(14L);
    assertThat(json.array("dropped_tensors").orElseThrow()).hasSize(14);
    assertThat(json.string("output")).contains(output().toString());
  }

  @Test
  void dryRunListsEveryTensorAndWritesNothing() throws Exception {
    Map<String, String> before = FolderState.of(temp);

    QuernProcess run = decompress(NVFP4, "--dry-run");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .containsPattern(
            "0.mlp.down_proj.weight +\\[128, 256\\] +BF16 +dequantize +NVFP4, groups of 16")
        .containsPattern("embed_tokens.weight .*copy +embedding")
        .containsPattern("input_global_scale +\\[1\\] +F32 +drop +a scale of activations")
        .contains("14 of 21 tensors are dequantized to BF16")
        .contains("Nothing was written");
    assertThat(FolderState.of(temp)).isEqualTo(before);
    Json.Obj tensor =
        (Json.Obj)
            json(decompress(NVFP4, "--dry-run", "--json").out())
                .array("tensors")
                .orElseThrow()
                .get(1);
    assertThat(tensor.members())
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
  void dtypeChangesWeightsAndConfiguration() {
    assertThat(decompress(W4A16, "--dtype", "F32").exitCode()).isZero();

    assertThat(LoadedCheckpoint.dtypes(output())).containsOnly("F32");
    assertThat(JsonReader.readObject(output().resolve("config.json")).string("dtype"))
        .contains("float32");
  }

  @Test
  void unknownTypeIsAMistakeOfTheCommandLine() {
    QuernProcess run = decompress(W4A16, "--dtype", "int8");

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--dtype int8").contains("Use bf16, f16 or f32");
    assertThat(output()).doesNotExist();
  }

  @Test
  void plainCheckpointIsRefused() {
    QuernProcess run = decompress(TinyCheckpoint.llama("BF16").write(temp.resolve("in")));

    assertThat(run.exitCode()).isEqualTo(ExitCode.INPUT);
    assertThat(run.err()).contains("expected a quantized checkpoint").contains("plain already");
    assertThat(output()).doesNotExist();
  }

  @Test
  void existingOutputIsOnlyReplacedWhenAsked() throws Exception {
    TinyCheckpoint.llama("BF16").write(output());
    Map<String, String> before = FolderState.of(temp);

    QuernProcess refused = decompress(W4A16);

    assertThat(refused.exitCode()).isEqualTo(ExitCode.OUTPUT);
    assertThat(FolderState.of(temp)).isEqualTo(before);
    assertThat(decompress(W4A16, "--overwrite").exitCode()).isZero();
    assertThat(FolderState.of(temp)).isNotEqualTo(before);
  }

  @Test
  void shardsGetAnIndex() {
    assertThat(decompress(W4A16, "--max-shard-size", "200K").exitCode()).isZero();

    assertThat(Files.exists(output().resolve("model.safetensors.index.json"))).isTrue();
    assertThat(LoadedCheckpoint.dtypes(output())).hasSize(21).containsOnly("BF16");
  }

  @Test
  void compressedAgainItWarnsThatErrorsAddUp() {
    QuernProcess run =
        QuernProcess.run(
            "compress",
            W4A16.toString(),
            "--scheme",
            "FP8_DYNAMIC",
            "--output",
            output().toString());

    assertThat(run.exitCode()).isZero();
    assertThat(run.err())
        .contains("quantized already (compressed-tensors); its errors and the new ones add up");
    Json.Obj config = JsonReader.readObject(output().resolve("config.json"));
    assertThat(config.object("quantization_config").orElseThrow().string("format"))
        .contains("float-quantized");
    assertThat(
            QuernProcess.run("verify", output().toString(), "--against", W4A16.toString())
                .exitCode())
        .isZero();
  }

  @Test
  void dryRunSaysWhatWouldStopARealOne() throws Exception {
    Files.createDirectories(temp.resolve("out"));
    Files.writeString(temp.resolve("out/notes.txt"), "mine");
    QuernProcess run = decompress(NVFP4, "--dry-run");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("a real run would stop here: ", "exists already and is not empty");
  }
}
