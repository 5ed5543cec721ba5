package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import dev.quern.testdata.TinyCheckpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
  @TempDir Path temp;

  @Test
  void listsEveryTensor() {
    Path model = TinyCheckpoint.llama("F32").write(temp.resolve("in"));

    QuernProcess run = QuernProcess.run("inspect", model.toString());

    assertThat(run.exitCode()).isZero();
    for (String name : TinyCheckpoint.llama("F32").names()) {
      assertThat(run.out()).containsPattern(name + " +\\[[0-9, ]+\\] +F32 ");
    }
    assertThat(run.out())
        .containsPattern("q_proj.weight +\\[32, 32\\] +F32 +Linear +model.safetensors +4\\.10 kB")
        .contains("LlamaForCausalLM, 12 tensors")
        .contains("quantization: none");
  }

  @Test
  void saysHowItIsQuantized() {
    QuernProcess run =
        QuernProcess.run("inspect", TestData.path("golden/schemes/FP8_DYNAMIC-bf16").toString());

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains("quantization: compressed-tensors, float-quantized")
        .contains("ignore lm_head")
        .containsPattern("q_proj.weight .*F8_E4M3 +FP8, by channel")
        .containsPattern("q_proj.weight_scale .*part of model.layers.0.self_attn.q_proj.weight");
  }

  @Test
  void saysThatItCannotBeRead() {
    Path model =
        TinyCheckpoint.llama("BF16")
            .config("{\"quantization_config\": {\"quant_method\": \"gptq\"}}")
            .write(temp.resolve("in"));

    assertThat(QuernProcess.run("inspect", model.toString()).out())
        .contains("quantization: gptq (cannot be read)");
  }

  @Test
  void jsonIsOneDocument() {
    Path model = TinyCheckpoint.llama("BF16").write(temp.resolve("in"));

    QuernProcess run = QuernProcess.run("inspect", model.toString(), "--json");

    Json.Obj json = (Json.Obj) JsonReader.parse(run.out().getBytes(StandardCharsets.UTF_8), "out");
    assertThat(json.members())
        .containsOnlyKeys(
            "architecture", "bytes", "elements", "model", "other_files", "quantization", "tensors");
    assertThat(((Json.Obj) json.array("tensors").orElseThrow().get(0)).members())
        .containsOnlyKeys("bytes", "dtype", "file", "name", "role", "shape");
  }

  @Test
  void missingFolderIsRefused() {
    QuernProcess run = QuernProcess.run("inspect", temp.resolve("nowhere").toString());

    assertThat(run.exitCode()).isEqualTo(ExitCode.INPUT);
    assertThat(run.err()).startsWith("quern: ").contains("nowhere: no such folder");
    assertThat(run.out()).isEmpty();
  }
}
