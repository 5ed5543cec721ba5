package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.util.Arrays;
import java.util.List;

/**
 * Element type and dimensions of a tensor.
 *
 * @param shape dimensions, outermost first
 */
public record TensorType(DType dtype, List<Long> shape) {
  /** Copies the list. */
  public TensorType {
    shape = List.copyOf(shape);
  }

  /** From dimensions one by one. */
  public static TensorType of(DType dtype, long... shape) {
    return new TensorType(dtype, Arrays.stream(shape).boxed().toList());
  }

  /** Number of elements. */
  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** Number of bytes. */
  public long bytes() {
    return Math.multiplyExact(elements(), dtype.bits()) / 8;
  }

  /** The last dimension; 1 for a scalar. */
  long last() {
    return shape.isEmpty() ? 1 : shape.getLast();
  }
}
