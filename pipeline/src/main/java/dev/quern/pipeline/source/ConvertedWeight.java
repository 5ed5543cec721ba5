package dev.quern.pipeline.source;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** A tensor of plain floats, in another type. */
record ConvertedWeight(SourceTensor tensor, FloatType to) implements SourceWeight {
  // Enough elements for a vector loop, few enough for any budget.
  private static final int RUN = 1 << 12;

  private FloatType from() {
    return FloatType.of(tensor.info().dtype()).orElseThrow();
  }

  @Override
  public TensorSpec spec() {
    return new TensorSpec(tensor.name(), to.dtype(), tensor.info().shape());
  }

  @Override
  public List<Part> parts() {
    return List.of(Part.whole(tensor));
  }

  @Override
  public Optional<String> encoding() {
    return Optional.of(from().toString());
  }

  @Override
  public long grain() {
    return to.bytes();
  }

  @Override
  public long memoryBytes(long length) {
    return length + length / to.bytes() * from().bytes();
  }

  @Override
  public MemorySegment read(
      Kernels kernels, long offset, long length, Arena arena, Scratch scratch) {
    long first = offset / to.bytes();
    long count = length / to.bytes();
    MemorySegment source =
        tensor.file().map(tensor.info(), first * from().bytes(), count * from().bytes(), arena);
    MemorySegment target = scratch.atLeast(length);
    for (long at = 0; at < count; at += RUN) {
      int n = (int) Math.min(RUN, count - at);
      long in = at * from().bytes();
      long out = at * to.bytes();
      kernels.convert(from(), source, in, n, to, target, out);
      if (kernels.absMaxBits(to, target, out, n) >= to.infinityBits()
          && kernels.absMaxBits(from(), source, in, n) < from().infinityBits()) {
        throw new CheckpointException(
            place(),
            "holds values that " + to + " cannot, near element " + (first + at),
            "Give a wider type with --dtype.");
      }
    }
    return target;
  }
}
