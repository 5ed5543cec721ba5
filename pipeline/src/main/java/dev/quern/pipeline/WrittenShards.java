package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.ShardPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The files that were just written, opened and checked as any reader would. */
record WrittenShards(List<SafetensorsFile> files, Map<String, SafetensorsFile> byTensor)
    implements AutoCloseable {
  static WrittenShards open(Path folder, ShardPlan plan) {
    WrittenShards written = new WrittenShards(new ArrayList<>(), new HashMap<>());
    try {
      for (ShardPlan.Shard shard : plan.shards()) {
        SafetensorsFile file = SafetensorsFile.open(folder.resolve(shard.fileName()));
        written.files.add(file);
        file.tensors().forEach(tensor -> written.byTensor.put(tensor.name(), file));
      }
      return written;
    } catch (CheckpointException e) {
      written.close();
      throw new QuernException(QuernException.Kind.VERIFICATION, e);
    }
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
