package dev.quern.cli;

import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.testdata.TinyCheckpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A written checkpoint, loaded so that a test can damage it and write it again. */
final class LoadedCheckpoint {
  private LoadedCheckpoint() {}

  static TinyCheckpoint of(Path folder) throws IOException {
    TinyCheckpoint tiny = TinyCheckpoint.empty("BF16");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      for (SourceTensor tensor : checkpoint.tensors()) {
        long[] shape = tensor.info().shape().stream().mapToLong(Long::longValue).toArray();
        tiny.with(tensor.name(), tensor.info().dtype().name(), data(tensor), shape);
      }
    }
    return tiny.config(Files.readString(folder.resolve("config.json")));
  }

  /** The dtype of each tensor, in the order of the model. */
  static List<String> dtypes(Path folder) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      return checkpoint.tensors().stream().map(t -> t.info().dtype().name()).toList();
    }
  }

  static byte[] data(SourceTensor tensor) {
    try (Arena arena = Arena.ofConfined()) {
      return tensor
          .file()
          .map(tensor.info(), 0, tensor.info().bytes(), arena)
          .toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
