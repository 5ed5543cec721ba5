package dev.quern.formats.huggingface;

import static dev.quern.formats.huggingface.ModelFolderFixture.index;
import static dev.quern.formats.huggingface.ModelFolderFixture.sharded;
import static dev.quern.formats.huggingface.ModelFolderFixture.single;
import static dev.quern.formats.huggingface.ModelFolderFixture.text;
import static dev.quern.formats.huggingface.ModelFolderFixture.weights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.TensorOrder;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceCheckpointTest {
  private static final String FIRST = "model-00001-of-00002.safetensors";
  private static final String SECOND = "model-00002-of-00002.safetensors";

  @TempDir Path temp;
  private Path model;

  @BeforeEach
  void nameTheFolder() {
    model = temp.resolve("model");
  }

  private void refuses(String... parts) {
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> HuggingFaceCheckpoint.open(model).close())
        .withMessageContaining(model.toString())
        .withMessageContainingAll(parts);
  }

  @Test
  void opensARealModel() {
    Path folder = TestData.path("models/storyteller-4m");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      assertThat(checkpoint.directory()).isEqualTo(folder);
      assertThat(checkpoint.config().string("model_type")).contains("llama");
      assertThat(checkpoint.files()).hasSize(1);
      assertThat(checkpoint.tensors())
          .extracting(SourceTensor::name)
          .isSortedAccordingTo(TensorOrder.model())
          .contains("model.embed_tokens.weight");
      assertThat(checkpoint.totalBytes())
          .isEqualTo(checkpoint.files().getFirst().tensors().getLast().end());
      assertThat(checkpoint.find("model.embed_tokens.weight")).isPresent();
      assertThat(checkpoint.find("nothing")).isEmpty();
      assertThat(checkpoint.otherFiles())
          .containsExactly(
              "generation_config.json",
              "golden_logits.safetensors",
              "tokenizer.json",
              "tokenizer_config.json");
      assertThat(checkpoint.hasForeignSafetensors()).isTrue();
      assertThat(checkpoint.leftOut())
          .containsExactly(
              new LeftOutFile("config.json", "written anew"),
              new LeftOutFile("model.safetensors", "the model's weights, written anew"));
    }
  }

  @Test
  void opensShards() {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(sharded(model))) {
      assertThat(checkpoint.tensors())
          .extracting(SourceTensor::name)
          .containsExactly("a", "b", "c");
      assertThat(checkpoint.find("c").orElseThrow().file().path()).hasFileName(SECOND);
      assertThat(checkpoint.totalBytes()).isEqualTo(3);
      assertThat(checkpoint.otherFiles()).isEmpty();
      assertThat(checkpoint.hasForeignSafetensors()).isFalse();
    }
  }

  @Test
  void sortsEveryFileIntoCopiedOrLeftOut() {
    single(model);
    List<String> copied =
        List.of(
            ".gitattributes",
            "README.md",
            "adapter_model.safetensors",
            "chat_template.jinja",
            "modeling_x.py",
            "sub/deep/model.safetensors",
            "sub/tokenizer.model",
            "tokenizer.json");
    List<String> leftOut =
        List.of(
            "consolidated.00.pth",
            "consolidated.safetensors",
            "consolidated.safetensors.index.json",
            "flax_model.msgpack",
            "model-00001-of-00002.safetensors",
            "model.ckpt",
            "model.gguf",
            "onnx/model.onnx",
            "onnx/model.onnx_data",
            "original/consolidated.01.pth",
            "pytorch_model.bin",
            "pytorch_model.bin.index.json",
            "rust_model.ot",
            "tf_model.h5",
            "Q4.GGUF",
            "x.pt");
    copied.forEach(name -> text(model.resolve(name), name));
    leftOut.forEach(name -> text(model.resolve(name), name));
    text(model.resolve(".git/config"), "");
    text(model.resolve(".cache/huggingface/x"), "");
    text(model.resolve("sub/.git/config"), "");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      assertThat(checkpoint.otherFiles()).containsExactlyElementsOf(copied);
      assertThat(checkpoint.leftOut())
          .extracting(LeftOutFile::path)
          .isSorted()
          .containsAll(leftOut)
          .contains("config.json", "model.safetensors", ".git/", ".cache/", "sub/.git/")
          .hasSize(leftOut.size() + 5);
      assertThat(checkpoint.leftOut()).allSatisfy(file -> assertThat(file.reason()).isNotBlank());
      assertThat(checkpoint.hasForeignSafetensors()).isTrue();
    }
  }

  @Test
  void aFileThatTheIndexDoesNotNameIsLeftOut() {
    sharded(model);
    weights(model.resolve("model.safetensors"), "stale");
    weights(model.resolve("extra.safetensors"), "foreign");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      assertThat(checkpoint.find("stale")).isEmpty();
      assertThat(checkpoint.otherFiles()).containsExactly("extra.safetensors");
      assertThat(checkpoint.leftOut())
          .contains(
              new LeftOutFile(
                  "model.safetensors", "a weight file that is not part of the checkpoint"),
              new LeftOutFile("model.safetensors.index.json", "written anew"),
              new LeftOutFile(FIRST, "the model's weights, written anew"));
    }
  }

  @Test
  void refusesAFolderThatIsNone() throws IOException {
    refuses("no such folder", "Give the path of a model folder");
    Files.createFile(model);
    refuses("expected a model folder, found a file", "Give the folder");
  }

  @Test
  void refusesAFolderWithoutConfig() throws IOException {
    Files.createDirectories(model);
    refuses("expected a config.json, found none");
    text(model.resolve("config.json"), "[1]");
    refuses("config.json", "expected a JSON object");
    text(model.resolve("config.json"), "{\"a\":");
    refuses("config.json, line 1", "not valid JSON");
  }

  @Test
  void refusesAFolderWithoutWeights() {
    text(model.resolve("config.json"), "{}");
    refuses("expected model.safetensors or model.safetensors.index.json, found no weights at all");
    text(model.resolve("pytorch_model-00001-of-00002.bin"), "");
    text(model.resolve("model.Q4.gguf"), "");
    refuses(
        "expected weights as safetensors, found model.Q4.gguf, pytorch_model-00001-of-00002.bin",
        "Convert the model to safetensors first");
    weights(model.resolve(FIRST), "a");
    refuses("found only " + FIRST, "Add the missing index, or rename");
  }

  @Test
  void refusesAMissingShard() throws IOException {
    sharded(model);
    Files.delete(model.resolve(SECOND));
    refuses("index.json: shard \"" + SECOND + "\" is named by the index", "fetch the missing file");
  }

  @Test
  void refusesADamagedShard() throws IOException {
    sharded(model);
    Files.write(model.resolve(SECOND), new byte[3]);
    refuses(SECOND, "at least 8 bytes");
  }

  @Test
  void refusesATensorThatIsNotInItsShard() {
    sharded(model);
    index(model, "a", FIRST, "b", SECOND, "c", SECOND);
    refuses("tensor \"b\" should be in " + SECOND + ", found it in " + FIRST, "same revision");
    index(model, "a", FIRST, "b", FIRST, "c", SECOND, "d", SECOND);
    refuses("tensor \"d\" should be in " + SECOND + ", found it in no shard");
  }

  @Test
  void refusesATensorThatTheIndexForgot() {
    sharded(model);
    index(model, "a", FIRST, "c", SECOND);
    refuses("tensor \"b\" is in " + FIRST + " but the index does not name it");
  }

  @Test
  void refusesATensorInTwoShards() {
    sharded(model);
    weights(model.resolve(SECOND), "c", "a");
    refuses(SECOND, "tensor \"a\" is also in " + FIRST, "expected it once");
  }

  @Test
  void refusesPathsInTheIndex() {
    sharded(model);
    weights(temp.resolve("secret.safetensors"), "a");
    index(model, "a", "../secret.safetensors");
    refuses("\"a\" should be in a .safetensors file of this folder", "\"../secret.safetensors\"");
    index(model, "a", temp.resolve("secret.safetensors").toString());
    refuses("\"a\" should be in a .safetensors file of this folder");
  }
}
