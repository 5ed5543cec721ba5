package dev.quern.formats.safetensors;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The index of a sharded checkpoint: which tensor is in which file.
 *
 * @param metadata what the index says about the whole, such as {@code total_size}; for the reader's
 *     eyes, never trusted
 * @param weightMap tensor name to file name, in the order of the document
 */
public record ShardedIndex(Json.Obj metadata, Map<String, String> weightMap) {
  /** The name readers look for. */
  public static final String FILE_NAME = "model.safetensors.index.json";

  private static final String SUFFIX = ".safetensors";

  /**
   * @throws CheckpointException when a file name is not a plain {@code .safetensors} name
   */
  public ShardedIndex {
    weightMap = Collections.unmodifiableMap(new LinkedHashMap<>(weightMap));
    weightMap.forEach((tensor, file) -> requirePlainName(FILE_NAME, tensor, file));
  }

  /**
   * An index as {@code save_pretrained} writes it.
   *
   * @param totalParameters elements of all tensors
   * @param totalBytes bytes of all tensors
   */
  public static ShardedIndex of(
      Map<String, String> weightMap, long totalParameters, long totalBytes) {
    Json.Obj metadata =
        Json.Obj.empty()
            .with("total_parameters", Json.of(totalParameters))
            .with("total_size", Json.of(totalBytes));
    return new ShardedIndex(metadata, weightMap);
  }

  /**
   * Reads and checks an index. Whether the files exist and hold the tensors is not checked here.
   *
   * @throws CheckpointException when it is not a valid index, or names a file outside its folder
   */
  public static ShardedIndex read(Path file) {
    Json.Obj document = JsonReader.readObject(file);
    Json.Obj entries =
        document
            .object("weight_map")
            .orElseThrow(
                () ->
                    new CheckpointException(
                        file.toString(),
                        "expected an object \"weight_map\", found none",
                        "Fetch the index again, or write the checkpoint again."));
    Map<String, String> weightMap = LinkedHashMap.newLinkedHashMap(entries.members().size());
    for (String tensor : entries.members().keySet()) {
      String name =
          entries
              .string(tensor)
              .orElseThrow(
                  () ->
                      new CheckpointException(
                          entries.where(),
                          JsonWriter.quote(tensor) + " should be a file name, found null",
                          "Fetch the index again, or write the checkpoint again."));
      requirePlainName(entries.where(), tensor, name);
      weightMap.put(tensor, name);
    }
    return new ShardedIndex(document.object("metadata").orElse(Json.Obj.empty()), weightMap);
  }

  /** The files it names, each once, sorted. */
  public List<String> files() {
    return weightMap.values().stream().distinct().sorted().toList();
  }

  /** The document in the look of {@code save_pretrained}: names sorted, a newline at the end. */
  public String toJson() {
    Map<String, Json> entries = new LinkedHashMap<>();
    weightMap.forEach((tensor, file) -> entries.put(tensor, Json.of(file)));
    Json document =
        Json.Obj.empty().with("metadata", metadata).with("weight_map", Json.Obj.of(entries));
    return JsonWriter.pretty(document) + "\n";
  }

  /**
   * Writes the document to a file that does not exist yet.
   *
   * @throws CheckpointException when it exists or cannot be written
   */
  public void write(Path file) {
    try {
      Files.writeString(
          file,
          toJson(),
          StandardCharsets.UTF_8,
          StandardOpenOption.WRITE,
          StandardOpenOption.CREATE_NEW);
    } catch (IOException e) {
      throw new CheckpointException(
          file.toString(),
          "cannot be written (" + e + ")",
          "Check permissions and free space of the output's disk.",
          e);
    }
  }

  private static void requirePlainName(String where, String tensor, String file) {
    boolean plain =
        file.endsWith(SUFFIX)
            && file.length() > SUFFIX.length()
            && !file.contains("/")
            && !file.contains("\\")
            && file.chars().noneMatch(Character::isISOControl);
    if (!plain) {
      throw new CheckpointException(
          where,
          JsonWriter.quote(tensor)
              + " should be in a .safetensors file of this folder, found "
              + JsonWriter.quote(file),
          "Shards lie beside their index; do not use this checkpoint if you do not trust its"
              + " source.");
    }
  }
}
