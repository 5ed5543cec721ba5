package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.testdata.TestData;
import dev.quern.testdata.TinyCheckpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Quantized checkpoints whose tensors do not fit their configuration, or each other. */
class DamagedSourceTest {
  private static final String UP = "model.layers.0.mlp.up_proj.";

  @TempDir Path temp;

  @Test
  void missingScale() {
    refuses(
        "W4A16-bf16",
        model -> model.without(UP + "weight_scale"),
        "module model.layers.0.mlp.up_proj: expected a tensor weight_scale, found none");
  }

  @Test
  void codesWithoutScale() {
    refuses(
        "FP8_DYNAMIC-bf16",
        model -> model.without(UP + "weight_scale"),
        "up_proj.weight: is F8_E4M3 [256, 128], a part of a quantized weight",
        "a missing scale, perhaps");
  }

  @Test
  void missingCodes() {
    refuses(
        "W4A16-bf16",
        model -> model.without(UP + "weight_packed"),
        "module model.layers.0.mlp.up_proj: expected a tensor weight_packed, found none");
  }

  @Test
  void scaleOfWrongShape() {
    refuses(
        "NVFP4A16-bf16",
        model -> model.with(UP + "weight_scale", "F8_E4M3", new byte[256 * 4], 256, 4),
        "up_proj.weight_scale: expected shape [256, 8], found [256, 4]");
  }

  @Test
  void scaleOfWrongType() {
    refuses(
        "MXFP4A16-bf16",
        model -> model.with(UP + "weight_scale", "I8", new byte[256 * 4], 256, 4),
        "up_proj.weight_scale: expected F8_E8M0 or U8, found I8");
  }

  @Test
  void scaleThatIsNotANumber() {
    refuses(
        "W4A16-bf16",
        model -> model.set(UP + "weight_scale", 7, Float.NaN),
        "tensor " + UP + "weight_packed [7, 0]: expected a finite scale, found NaN");
  }

  @Test
  void codeThatIsNotANumber() {
    refuses(
        "FP8_DYNAMIC-bf16",
        model -> {
          byte[] codes = new byte[256 * 128];
          codes[3 * 128 + 5] = 0x7F;
          model.with(UP + "weight", "F8_E4M3", codes, 256, 128);
        },
        "tensor " + UP + "weight [3, 5]: expected finite weights, found NaN");
  }

  @Test
  void storedShapeThatDoesNotFit() {
    byte[] shape = new byte[16];
    shape[1] = 1; // 256
    shape[8] = 100;
    refuses(
        "W4A16-bf16",
        model -> model.with(UP + "weight_shape", "I64", shape, 2),
        "up_proj.weight_shape: expected the size of the matrix in weight_packed [256, 16]"
            + " of 4-bit integers, found [256, 100]");
  }

  @Test
  void scalesThatNoGroupTargets() {
    refuses(
        "W4A16-bf16",
        model -> model.random("lm_head.weight_scale", 96, 1),
        "module lm_head",
        "no group of quantization_config targets it");
  }

  @Test
  void groupIndexOutOfRange() {
    byte[] index = new byte[4 * 128];
    index[40] = 9;
    refuses(
        "GPTQ-W4A16-group-bf16",
        model -> model.with("model.layers.0.mlp.down_proj.weight_g_idx", "I32", both(index), 256),
        "down_proj.weight_g_idx [10]: expected a group from 0 to 1, found 9");
  }

  @Test
  void groupsOfUnequalSize() {
    refuses(
        "GPTQ-W4A16-group-bf16",
        model ->
            model.with("model.layers.0.mlp.down_proj.weight_g_idx", "I32", new byte[4 * 256], 256),
        "down_proj.weight_g_idx: expected 128 columns of group 0, found 256");
  }

  @Test
  void weightAndItsCodes() {
    refuses(
        "W4A16-bf16",
        model -> model.random(UP + "weight", 256, 128),
        "two sets of tensors make " + UP + "weight");
  }

  private static byte[] both(byte[] half) {
    byte[] both = new byte[2 * half.length];
    System.arraycopy(half, 0, both, 0, half.length);
    return both;
  }

  private void refuses(String golden, Consumer<TinyCheckpoint> damage, String... messages) {
    Path source = temp.resolve("in");
    TinyCheckpoint model = load(TestData.path("golden/schemes/" + golden));
    damage.accept(model);
    model.write(source);
    Path output = temp.resolve("out");
    assertThatThrownBy(
            () -> Quern.decompress(DecompressionOptions.of(source, output), Progress.NONE))
        .isInstanceOfSatisfying(
            QuernException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(QuernException.Kind.INPUT);
              assertThat(e.getMessage()).contains(messages);
            });
    assertThat(output).doesNotExist();
  }

  private static TinyCheckpoint load(Path folder) {
    TinyCheckpoint tiny = TinyCheckpoint.empty("BF16");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder);
        Arena arena = Arena.ofConfined()) {
      for (SourceTensor tensor : checkpoint.tensors()) {
        byte[] data =
            tensor
                .file()
                .map(tensor.info(), 0, tensor.info().bytes(), arena)
                .toArray(ValueLayout.JAVA_BYTE);
        long[] shape = tensor.info().shape().stream().mapToLong(Long::longValue).toArray();
        tiny.with(tensor.name(), tensor.info().dtype().name(), data, shape);
      }
      return tiny.config(Files.readString(folder.resolve("config.json")));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
