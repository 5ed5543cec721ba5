package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.Bf16;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp16;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TinyCheckpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;

/** What tests of checkpoints of other software share: packing numbers by hand, and reading them. */
abstract class ForeignSource {
  static final String MODULE = "model.layers.0.mlp.up_proj.";
  static final float[] FP4 = {0, .5f, 1, 1.5f, 2, 3, 4, 6, -0f, -.5f, -1, -1.5f, -2, -3, -4, -6};

  @TempDir Path temp;

  final SplittableRandom random = new SplittableRandom(11);

  static String config(String quantization) {
    return "{\"model_type\": \"llama\", \"torch_dtype\": \"bfloat16\", \"quantization_config\": {"
        + quantization
        + "}}";
  }

  static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Sets {@code bits} bits of a string of words that are {@code step} words apart. */
  static void put(ByteBuffer words, int base, int step, int field, int bits, int value) {
    for (int b = 0; b < bits; b++) {
      int bit = field * bits + b;
      int at = 4 * (base + bit / 32 * step);
      words.putInt(at, words.getInt(at) | (value >> b & 1) << bit % 32);
    }
  }

  static byte[] f16(float[] values) {
    ByteBuffer bytes = buffer(2L * values.length);
    for (float value : values) {
      bytes.putShort(Fp16.encode(value));
    }
    return bytes.array();
  }

  static byte[] f32(float... values) {
    ByteBuffer bytes = buffer(4L * values.length);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  float[] scales(int count) {
    float[] scales = new float[count];
    for (int i = 0; i < count; i++) {
      scales[i] = Fp16.decode(Fp16.encode((float) random.nextDouble(0.001, 0.1)));
    }
    return scales;
  }

  static float bf16(float value) {
    return Bf16.decode(Bf16.encode(value));
  }

  /** Decompresses, checks the ledger, and gives the one matrix. */
  float[] decompress(TinyCheckpoint model) throws Exception {
    Path in = model.random("model.norm.weight", 8).write(temp.resolve("in"));
    Path out = temp.resolve("out");
    DecompressionReport report =
        Quern.decompress(DecompressionOptions.of(in, out).withThreads(2), Progress.NONE);
    DecompressGoldenTest.assertEveryTensorHasOneFate(in, report.plan());
    assertThat(JsonReader.readObject(out.resolve("config.json")).has("quantization_config"))
        .isFalse();
    return matrix(out, MODULE + "weight");
  }

  static float[] matrix(Path model, String name) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model);
        Arena arena = Arena.ofConfined()) {
      SourceTensor tensor = checkpoint.find(name).orElseThrow();
      FloatType type = FloatType.of(tensor.info().dtype()).orElseThrow();
      MemorySegment data = tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
      float[] values = new float[(int) tensor.info().elements()];
      for (int i = 0; i < values.length; i++) {
        values[i] = type.load(data, (long) i * type.bytes());
      }
      return values;
    }
  }

  byte[] e4m3(int count) {
    byte[] codes = new byte[count];
    for (int i = 0; i < count; i++) {
      do {
        codes[i] = (byte) random.nextInt(256);
      } while ((codes[i] & 0x7F) == 0x7F);
    }
    return codes;
  }

  void refuses(TinyCheckpoint model, String message) {
    Path in = model.write(temp.resolve("in"));
    assertThatThrownBy(
            () -> Quern.decompress(DecompressionOptions.of(in, temp.resolve("out")), Progress.NONE))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining(message);
    assertThat(temp.resolve("out")).doesNotExist();
  }
}
