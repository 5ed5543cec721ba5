package dev.quern.pipeline.source;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** A tensor that the files hold as it is; reading maps them. */
public record PlainWeight(SourceTensor tensor) implements SourceWeight {
  @Override
  public TensorSpec spec() {
    return tensor.info().spec();
  }

  @Override
  public List<Part> parts() {
    return List.of(Part.whole(tensor));
  }

  @Override
  public Optional<String> encoding() {
    return Optional.empty();
  }

  @Override
  public long grain() {
    return 1;
  }

  @Override
  public long memoryBytes(long length) {
    return length;
  }

  @Override
  public MemorySegment read(
      Kernels kernels, long offset, long length, Arena arena, Scratch scratch) {
    return tensor.file().map(tensor.info(), offset, length, arena);
  }
}
