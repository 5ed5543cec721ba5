package dev.quern.formats.safetensors;

import dev.quern.engine.numeric.DType;
import java.util.List;

/** The arithmetic from shape and element type to bytes, refusing what does not fit. */
final class TensorSize {
  private TensorSize() {}

  /**
   * The product of the dimensions, 1 for a scalar. Factors are taken in order, so that {@code
   * [2^62, 2^62, 0]} is an overflow, as it is for the reference implementation.
   *
   * @throws ArithmeticException when a product on the way exceeds 2^63 - 1
   */
  static long elements(List<Long> shape) {
    long product = 1;
    for (long dimension : shape) {
      product = Math.multiplyExact(product, dimension);
    }
    return product;
  }

  /**
   * Bits of all elements.
   *
   * @throws ArithmeticException when they exceed 2^63 - 1
   */
  static long bits(DType dtype, long elements) {
    return Math.multiplyExact(elements, (long) dtype.bits());
  }
}
