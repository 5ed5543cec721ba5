package dev.quern.formats.huggingface;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.ShardedIndex;
import dev.quern.formats.safetensors.TensorInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Finds a checkpoint's weight files, opens them, and checks that they and the index agree. */
final class WeightFiles {
  private static final String REFETCH =
      "Fetch the model again; index and shards must come from the same revision.";

  private WeightFiles() {}

  /** Opens all weight files, sorted by name; closes those already open when one fails. */
  static List<SafetensorsFile> open(ModelFolder folder) {
    Optional<ShardedIndex> index =
        folder.has(ShardedIndex.FILE_NAME)
            ? Optional.of(ShardedIndex.read(folder.file(ShardedIndex.FILE_NAME)))
            : Optional.empty();
    String single = ShardPlan.fileName(1, 1);
    List<SafetensorsFile> open = new ArrayList<>();
    try {
      if (index.isPresent()) {
        openShards(folder, index.get(), open);
      } else if (folder.has(single)) {
        open.add(SafetensorsFile.open(folder.file(single)));
      } else {
        throw noWeights(folder);
      }
      return List.copyOf(open);
    } catch (Throwable e) {
      for (SafetensorsFile file : open) {
        try {
          file.close();
        } catch (CheckpointException suppressed) {
          e.addSuppressed(suppressed);
        }
      }
      throw e;
    }
  }

  private static void openShards(
      ModelFolder folder, ShardedIndex index, List<SafetensorsFile> open) {
    Path indexPath = folder.path().resolve(ShardedIndex.FILE_NAME);
    for (String name : index.files()) {
      if (!folder.has(name)) {
        throw new CheckpointException(
            indexPath.toString(),
            "shard " + JsonWriter.quote(name) + " is named by the index but is not in the folder",
            "The download is not complete; fetch the missing file.");
      }
      open.add(SafetensorsFile.open(folder.file(name)));
    }
    Map<String, String> homes = tensorsOnce(open);
    index.weightMap().forEach((tensor, file) -> inItsShard(indexPath, tensor, file, homes));
    homes.forEach((tensor, file) -> inTheIndex(indexPath, tensor, file, index));
  }

  private static Map<String, String> tensorsOnce(List<SafetensorsFile> files) {
    Map<String, String> homes = new LinkedHashMap<>();
    for (SafetensorsFile file : files) {
      String name = file.path().getFileName().toString();
      for (TensorInfo tensor : file.tensors()) {
        String other = homes.put(tensor.name(), name);
        if (other != null) {
          throw new CheckpointException(
              file.path().toString(),
              "tensor "
                  + JsonWriter.quote(tensor.name())
                  + " is also in "
                  + other
                  + "; expected it once",
              REFETCH);
        }
      }
    }
    return homes;
  }

  private static void inItsShard(
      Path index, String tensor, String file, Map<String, String> homes) {
    String home = homes.get(tensor);
    if (!file.equals(home)) {
      throw new CheckpointException(
          index.toString(),
          "tensor "
              + JsonWriter.quote(tensor)
              + " should be in "
              + file
              + ", found it in "
              + (home == null ? "no shard" : home),
          REFETCH);
    }
  }

  private static void inTheIndex(Path index, String tensor, String file, ShardedIndex entries) {
    if (!entries.weightMap().containsKey(tensor)) {
      throw new CheckpointException(
          index.toString(),
          "tensor "
              + JsonWriter.quote(tensor)
              + " is in "
              + file
              + " but the index does not name it",
          REFETCH);
    }
  }

  private static CheckpointException noWeights(ModelFolder folder) {
    List<String> top =
        folder.walk(new ArrayList<>()).stream().filter(file -> !file.contains("/")).toList();
    List<String> safetensors = top.stream().filter(file -> file.endsWith(".safetensors")).toList();
    List<String> others =
        top.stream()
            .filter(file -> FolderInventory.isOtherWeights(file.toLowerCase(Locale.ROOT)))
            .toList();
    if (!safetensors.isEmpty()) {
      return new CheckpointException(
          folder.path().toString(),
          "expected "
              + ShardPlan.fileName(1, 1)
              + " or "
              + ShardedIndex.FILE_NAME
              + ", found only "
              + listed(safetensors),
          "Add the missing index, or rename a file that alone holds the model to "
              + ShardPlan.fileName(1, 1)
              + ".");
    }
    if (!others.isEmpty()) {
      return new CheckpointException(
          folder.path().toString(),
          "expected weights as safetensors, found " + listed(others),
          "Convert the model to safetensors first: load it with transformers and call"
              + " save_pretrained.");
    }
    return new CheckpointException(
        folder.path().toString(),
        "expected "
            + ShardPlan.fileName(1, 1)
            + " or "
            + ShardedIndex.FILE_NAME
            + ", found no weights at all",
        "Check that the download is complete and that this is the model's folder.");
  }

  private static String listed(List<String> names) {
    int shown = Math.min(names.size(), 5);
    String more = names.size() > shown ? " and " + (names.size() - shown) + " more" : "";
    return String.join(", ", names.subList(0, shown)) + more;
  }
}
