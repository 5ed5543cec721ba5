package dev.quern.formats.huggingface;

import dev.quern.formats.safetensors.ShardedIndex;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What becomes of each file of a model folder when the model is written anew.
 *
 * @param otherFiles files to copy through, relative paths, sorted
 * @param leftOut files not to copy, each with the reason, sorted by path
 */
record FolderInventory(List<String> otherFiles, List<LeftOutFile> leftOut) {
  /** Suffixes of weights in packagings other than safetensors. */
  private static final List<String> OTHER_WEIGHTS =
      List.of(
          ".bin", ".pt", ".pth", ".gguf", ".onnx", ".onnx_data", ".h5", ".msgpack", ".ot", ".ckpt");

  static FolderInventory of(ModelFolder folder, Set<String> weightFiles) {
    List<LeftOutFile> leftOut = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (String path : folder.walk(leftOut)) {
      Optional<String> reason = reasonToLeaveOut(path, weightFiles);
      if (reason.isPresent()) {
        leftOut.add(new LeftOutFile(path, reason.get()));
      } else {
        others.add(path);
      }
    }
    leftOut.sort(Comparator.comparing(LeftOutFile::path));
    return new FolderInventory(List.copyOf(others), List.copyOf(leftOut));
  }

  private static Optional<String> reasonToLeaveOut(String path, Set<String> weightFiles) {
    String name = path.substring(path.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    boolean top = !path.contains("/");
    if (path.equals("config.json") || path.equals(ShardedIndex.FILE_NAME)) {
      return Optional.of("written anew");
    }
    if (top && weightFiles.contains(path)) {
      return Optional.of("the model's weights, written anew");
    }
    if (isOtherWeights(name)) {
      return Optional.of("weights in another packaging, which would no longer match");
    }
    if (name.endsWith(".index.json") && isOtherWeights(name.substring(0, name.length() - 11))) {
      return Optional.of("the index of weights in another packaging");
    }
    if (name.equals("consolidated.safetensors.index.json")) {
      return Optional.of("the index of weights in another packaging");
    }
    if (name.endsWith(".safetensors") && name.startsWith("consolidated")) {
      return Optional.of("a second copy of the weights, which would no longer match");
    }
    if (top && name.endsWith(".safetensors") && name.startsWith("model")) {
      return Optional.of("a weight file that is not part of the checkpoint");
    }
    return Optional.empty();
  }

  static boolean isOtherWeights(String name) {
    return OTHER_WEIGHTS.stream().anyMatch(name::endsWith);
  }
}
