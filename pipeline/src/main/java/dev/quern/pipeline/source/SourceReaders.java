package dev.quern.pipeline.source;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The readers, by the {@code quant_method} that config.json names. */
public final class SourceReaders {
  /** ModelOpt's own file, for checkpoints whose config.json says nothing. */
  private static final String MODELOPT_FILE = "hf_quant_config.json";

  private static final List<String> KEYS = List.of("quantization_config", "compression_config");

  private static final Map<String, SourceReader> BY_METHOD =
      new TreeMap<>(
          Map.of(
              "awq", new AwqReader(),
              "compressed-tensors", new CompressedTensorsReader(),
              "fbgemm_fp8", new Fp8Reader(),
              "fp8", new Fp8Reader(),
              "gptq", new GptqReader(),
              "modelopt", new ModelOptReader(),
              "mxfp4", new Mxfp4Reader()));

  private SourceReaders() {}

  /** The object that says how a checkpoint is quantized; empty when it is plain. */
  static Optional<Json.Obj> config(HuggingFaceCheckpoint checkpoint) {
    Json.Obj config = checkpoint.config();
    return config
        .object(KEYS.get(0))
        .or(() -> config.object("text_config").flatMap(text -> text.object(KEYS.get(0))))
        .or(() -> config.object(KEYS.get(1)))
        .or(() -> modelOpt(checkpoint));
  }

  private static Optional<Json.Obj> modelOpt(HuggingFaceCheckpoint checkpoint) {
    if (!checkpoint.otherFiles().contains(MODELOPT_FILE)) {
      return Optional.empty();
    }
    Json.Obj file = JsonReader.readObject(checkpoint.directory().resolve(MODELOPT_FILE));
    return file.object("quantization").map(q -> q.with("quant_method", Json.of("modelopt")));
  }

  /**
   * Lets the reader for this configuration do its work.
   *
   * @return how the checkpoint is quantized, a few words
   * @throws CheckpointException when there is no reader for it
   */
  static String read(Json.Obj config, SourceBuilder source) {
    String method = config.string("quant_method").orElse("compressed-tensors");
    SourceReader reader = BY_METHOD.get(method);
    if (reader == null) {
      throw new CheckpointException(
          source.checkpoint().directory() + "/config.json, quantization_config",
          "the checkpoint is quantized with quant_method " + method + ", which is not read",
          "Give the checkpoint that it was made from; methods that are read: "
              + String.join(", ", BY_METHOD.keySet())
              + ".");
    }
    reader.read(config, source);
    return method;
  }

  /** A configuration without what says how the model was quantized. */
  public static Json.Obj withoutQuantization(Json.Obj config) {
    Json.Obj result = config;
    for (String key : KEYS) {
      result = result.without(key);
      Optional<Json.Obj> text = result.object("text_config");
      if (text.isPresent() && text.get().has(key)) {
        result = result.with("text_config", text.get().without(key));
      }
    }
    return result;
  }
}
