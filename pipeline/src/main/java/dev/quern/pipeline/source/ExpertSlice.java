package dev.quern.pipeline.source;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/**
 * A matrix, or a vector, of one expert out of a plain tensor that holds all: element {@code (r, c)}
 * is element {@code base + r * rowStep + c * colStep} of the tensor. Bits are copied.
 *
 * @param spec what it is called alone, {@code [rows, cols]} or {@code [rows]}
 * @param tensor all experts
 * @param base its first element
 * @param rowStep elements from one row to the next
 * @param colStep elements from one column to the next
 */
record ExpertSlice(TensorSpec spec, SourceTensor tensor, long base, long rowStep, long colStep)
    implements SourceWeight {
  private int elementBytes() {
    return tensor.info().dtype().bits() / 8;
  }

  private long columns() {
    return spec.shape().size() == 1 ? 1 : spec.shape().get(1);
  }

  private boolean isContiguous() {
    return rowStep == columns() && (colStep == 1 || columns() == 1);
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part(tensor, spec.bytes()));
  }

  @Override
  public Optional<String> encoding() {
    return Optional.of("one of " + tensor.info().dim(0) + " fused experts");
  }

  @Override
  public long grain() {
    return columns() * elementBytes();
  }

  @Override
  public long memoryBytes(long length) {
    if (isContiguous()) {
      return length;
    }
    long rows = length / grain();
    return length
        + Pages.touched(columns(), rows * rowStep * elementBytes(), colStep * elementBytes());
  }

  @Override
  public MemorySegment read(
      Kernels kernels, long offset, long length, Arena arena, Scratch scratch) {
    long first = offset / grain();
    long rows = length / grain();
    int bytes = elementBytes();
    long begin = base + first * rowStep;
    if (isContiguous()) {
      return tensor.file().map(tensor.info(), begin * bytes, length, arena);
    }
    long end = begin + (rows - 1) * rowStep + (columns() - 1) * colStep + 1;
    MemorySegment window =
        tensor.file().map(tensor.info(), begin * bytes, (end - begin) * bytes, arena);
    MemorySegment target = scratch.atLeast(length);
    for (long c = 0; c < columns(); c++) {
      for (long r = 0; r < rows; r++) {
        long from = (r * rowStep + c * colStep) * bytes;
        long to = (r * columns() + c) * bytes;
        if (bytes == 2) {
          target.set(SHORT, to, window.get(SHORT, from));
        } else {
          target.set(INT, to, window.get(INT, from));
        }
      }
    }
    return target;
  }

  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
}
