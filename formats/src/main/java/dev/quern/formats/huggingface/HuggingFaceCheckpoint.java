package dev.quern.formats.huggingface;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A model folder, opened: its configuration, its tensors by headers alone, and what becomes of
 * every other file. Safe for use by several threads.
 */
public final class HuggingFaceCheckpoint implements AutoCloseable {
  private static final String CONFIG = "config.json";

  private final Path directory;
  private final Json.Obj config;
  private final List<SafetensorsFile> files;
  private final FolderInventory inventory;
  private final List<SourceTensor> tensors;
  private final Map<String, SourceTensor> byName;

  private HuggingFaceCheckpoint(
      Path directory, Json.Obj config, List<SafetensorsFile> files, FolderInventory inventory) {
    this.directory = directory;
    this.config = config;
    this.files = files;
    this.inventory = inventory;
    List<SourceTensor> all = new ArrayList<>();
    for (SafetensorsFile file : files) {
      for (TensorInfo tensor : file.tensors()) {
        all.add(new SourceTensor(file, tensor));
      }
    }
    all.sort(Comparator.comparing(SourceTensor::name, TensorOrder.model()));
    this.tensors = List.copyOf(all);
    this.byName = LinkedHashMap.newLinkedHashMap(all.size());
    all.forEach(tensor -> byName.put(tensor.name(), tensor));
  }

  /**
   * Opens a model folder; reads configuration, index and headers, no tensor data.
   *
   * @throws CheckpointException when the folder, its configuration, its index or a header is
   *     refused
   */
  public static HuggingFaceCheckpoint open(Path directory) {
    ModelFolder folder = ModelFolder.open(directory);
    if (!folder.has(CONFIG)) {
      throw new CheckpointException(
          directory.toString(),
          "expected a config.json, found none",
          "Give the folder of a Hugging Face model; fetch config.json if the download left it"
              + " out.");
    }
    Json.Obj config = JsonReader.readObject(folder.file(CONFIG));
    List<SafetensorsFile> files = WeightFiles.open(folder);
    try {
      Set<String> names =
          files.stream()
              .map(file -> file.path().getFileName().toString())
              .collect(Collectors.toUnmodifiableSet());
      return new HuggingFaceCheckpoint(directory, config, files, FolderInventory.of(folder, names));
    } catch (Throwable e) {
      files.forEach(SafetensorsFile::close);
      throw e;
    }
  }

  /** The folder as it was given. */
  public Path directory() {
    return directory;
  }

  /** {@code config.json}. */
  public Json.Obj config() {
    return config;
  }

  /** The open weight files, sorted by name. */
  public List<SafetensorsFile> files() {
    return files;
  }

  /** All tensors of all files in {@link TensorOrder#model()}. */
  public List<SourceTensor> tensors() {
    return tensors;
  }

  /** The tensor of this name. */
  public Optional<SourceTensor> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Bytes of all tensors. */
  public long totalBytes() {
    return tensors.stream().mapToLong(tensor -> tensor.info().bytes()).sum();
  }

  /**
   * The files to copy through unchanged, sorted: paths relative to the folder with {@code /}
   * between names. Links among them have been checked, so copying what they lead to is safe.
   */
  public List<String> otherFiles() {
    return inventory.otherFiles();
  }

  /** The files not to copy, each with its reason, sorted by path. */
  public List<LeftOutFile> leftOut() {
    return inventory.leftOut();
  }

  /**
   * True when a safetensors file that is not the model's lies beside the weights and is copied
   * through. The output needs an index then, even with one shard: without one, vLLM loads every
   * safetensors file it sees.
   */
  public boolean hasForeignSafetensors() {
    return inventory.otherFiles().stream()
        .anyMatch(path -> !path.contains("/") && path.endsWith(".safetensors"));
  }

  /** Closes all weight files. */
  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
