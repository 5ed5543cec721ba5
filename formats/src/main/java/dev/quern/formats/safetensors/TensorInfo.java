package dev.quern.formats.safetensors;

import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * One tensor of a file: what its header says, checked.
 *
 * @param name its name
 * @param dtype its element type
 * @param shape its dimensions, outermost first; empty for a scalar
 * @param begin its first byte, counted from the end of the header
 * @param end one past its last byte, counted from the end of the header
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {
  public TensorInfo {
    shape = List.copyOf(shape);
  }

  /** Number of elements. */
  public long elements() {
    return TensorSize.elements(shape);
  }

  /** Number of bytes. */
  public long bytes() {
    return end - begin;
  }

  /** Number of dimensions. */
  public int rank() {
    return shape.size();
  }

  /** One dimension, counted from the outermost. */
  public long dim(int index) {
    return shape.get(index);
  }

  /** Name, element type and shape alone. */
  public TensorSpec spec() {
    return new TensorSpec(name, dtype, shape);
  }
}
