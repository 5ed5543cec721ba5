package dev.quern.testdata;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A valid checkpoint of a few kilobytes, in memory, that tests change and then write: a Llama of
 * one layer with 32 columns. Values are random with a fixed seed.
 *
 * <p>Names are not escaped, so tests must choose names that JSON takes as they are.
 */
public final class TinyCheckpoint {
  /** Prefix of the one layer's tensors. */
  public static final String LAYER = "model.layers.0.";

  /** The weight that most tests damage: a matrix [32, 32]. */
  public static final String Q_PROJ = LAYER + "self_attn.q_proj.weight";

  /** Columns of most matrices, and rows of many. */
  public static final int HIDDEN = 32;

  private static final int INTERMEDIATE = 48;
  private static final int VOCABULARY = 24;
  private static final String CONFIG =
      """
      {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 32,
        "intermediate_size": 48,
        "model_type": "llama",
        "num_attention_heads": 1,
        "num_hidden_layers": 1,
        "tie_word_embeddings": false,
        "vocab_size": 24
      }
      """;

  private record Tensor(String dtype, List<Long> shape, byte[] data) {
    String entry(long begin) {
      String dims = String.join(",", shape.stream().map(Object::toString).toList());
      String offsets = begin + "," + (begin + data.length);
      return "{\"dtype\":\""
          + dtype
          + "\",\"shape\":["
          + dims
          + "],\"data_offsets\":["
          + offsets
          + "]}";
    }
  }

  private final String dtype;
  private final SplittableRandom random = new SplittableRandom(20_250_925);
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private String config = CONFIG;

  private TinyCheckpoint(String dtype) {
    this.dtype = dtype;
  }

  /**
   * A new checkpoint.
   *
   * @param dtype of all weights: {@code BF16}, {@code F16} or {@code F32}
   */
  public static TinyCheckpoint llama(String dtype) {
    TinyCheckpoint llama = new TinyCheckpoint(dtype);
    llama.random("model.embed_tokens.weight", VOCABULARY, HIDDEN);
    llama.random(LAYER + "input_layernorm.weight", HIDDEN);
    for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      llama.random(LAYER + "self_attn." + name + ".weight", HIDDEN, HIDDEN);
    }
    llama.random(LAYER + "post_attention_layernorm.weight", HIDDEN);
    llama.random(LAYER + "mlp.gate_proj.weight", INTERMEDIATE, HIDDEN);
    llama.random(LAYER + "mlp.up_proj.weight", INTERMEDIATE, HIDDEN);
    llama.random(LAYER + "mlp.down_proj.weight", HIDDEN, INTERMEDIATE);
    llama.random("model.norm.weight", HIDDEN);
    llama.random("lm_head.weight", VOCABULARY, HIDDEN);
    return llama;
  }

  /**
   * A checkpoint without tensors.
   *
   * @param dtype of what {@link #random} and {@link #set} write
   */
  public static TinyCheckpoint empty(String dtype) {
    return new TinyCheckpoint(dtype);
  }

  /** Adds a tensor of random values in the checkpoint's dtype, or replaces the one of this name. */
  public TinyCheckpoint random(String name, long... shape) {
    long elements = 1;
    for (long dim : shape) {
      elements *= dim;
    }
    ByteBuffer data = buffer(Math.toIntExact(elements * elementBytes()));
    for (int i = 0; i < elements; i++) {
      put(data, i, (float) random.nextDouble(-0.1, 0.1));
    }
    return with(name, dtype, data.array(), shape);
  }

  /** Adds a tensor of any dtype, or replaces the one of this name. */
  public TinyCheckpoint with(String name, String dtype, byte[] data, long... shape) {
    List<Long> dims = new ArrayList<>();
    for (long dim : shape) {
      dims.add(dim);
    }
    tensors.put(name, new Tensor(dtype, List.copyOf(dims), data));
    return this;
  }

  /** Takes a tensor away. */
  public TinyCheckpoint without(String name) {
    if (tensors.remove(name) == null) {
      throw new IllegalArgumentException("no tensor " + name);
    }
    return this;
  }

  /** Sets one value of a tensor in the checkpoint's dtype. */
  public TinyCheckpoint set(String name, int element, float value) {
    put(ByteBuffer.wrap(tensors.get(name).data()).order(ByteOrder.LITTLE_ENDIAN), element, value);
    return this;
  }

  /** Changes bits of one byte of a tensor. */
  public TinyCheckpoint flip(String name, int at, int bits) {
    tensors.get(name).data()[at] ^= (byte) bits;
    return this;
  }

  /** Replaces the text of config.json. */
  public TinyCheckpoint config(String text) {
    config = text;
    return this;
  }

  /** Names of all tensors, in the order of the file. */
  public List<String> names() {
    return List.copyOf(tensors.keySet());
  }

  /** Writes the folder: config.json and model.safetensors. */
  public Path write(Path folder) {
    writeText(folder, "config.json", config);
    writeShard(folder, "model.safetensors", names());
    return folder;
  }

  /** Writes the folder with the tensors dealt out to two shards, and an index. */
  public Path writeTwoShards(Path folder) {
    int half = tensors.size() / 2;
    writeText(folder, "config.json", config);
    List<String> entries = new ArrayList<>();
    for (int shard = 1; shard <= 2; shard++) {
      String file = shardName(shard);
      List<String> names =
          shard == 1 ? names().subList(0, half) : names().subList(half, tensors.size());
      writeShard(folder, file, names);
      names.forEach(name -> entries.add("\"" + name + "\": \"" + file + "\""));
    }
    writeIndex(folder, entries);
    return folder;
  }

  /** File name of shard 1 or 2. */
  public static String shardName(int shard) {
    return "model-0000" + shard + "-of-00002.safetensors";
  }

  /** Writes an index with these {@code "tensor": "file"} entries. */
  public static void writeIndex(Path folder, List<String> entries) {
    writeText(
        folder,
        "model.safetensors.index.json",
        "{\"metadata\": {}, \"weight_map\": {\n" + String.join(",\n", entries) + "\n}}\n");
  }

  /** Writes a file of text into a folder, which is made if it is not there. */
  public static void writeText(Path folder, String name, String text) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes one safetensors file with some of the tensors, data in this order. */
  public void writeShard(Path folder, String file, List<String> names) {
    List<String> entries = new ArrayList<>();
    int bytes = 0;
    for (String name : names) {
      Tensor tensor = tensors.get(name);
      entries.add("\"" + name + "\":" + tensor.entry(bytes));
      bytes += tensor.data().length;
    }
    ByteBuffer data = ByteBuffer.allocate(bytes);
    names.forEach(name -> data.put(tensors.get(name).data()));
    String header = "{" + String.join(",", entries) + "}";
    RawSafetensors.write(folder.resolve(file), RawSafetensors.bytes(header, data.array()));
  }

  private int elementBytes() {
    return dtype.equals("F32") ? 4 : 2;
  }

  private void put(ByteBuffer data, int element, float value) {
    switch (dtype) {
      case "F32" -> data.putFloat(4 * element, value);
      case "F16" -> data.putShort(2 * element, Float.floatToFloat16(value));
      case "BF16" -> data.putShort(2 * element, (short) (Float.floatToRawIntBits(value) >>> 16));
      default -> throw new IllegalArgumentException(dtype);
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
