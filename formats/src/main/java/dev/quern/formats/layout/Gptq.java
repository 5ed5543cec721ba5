package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;

/**
 * {@code qweight} of AutoGPTQ for 2, 4 and 8 bits: a 32-bit word holds consecutive inputs of one
 * output.
 *
 * <pre>
 *   int32 [K*b/32, N]     word (k / (32/b)) * N + n, field k % (32/b)
 * </pre>
 *
 * <p>Source: AutoGPTQ 9f7d3707, {@code QuantLinear.pack}.
 */
final class Gptq extends StridedLayout {
  Gptq(String id, int bits) {
    super(id, bits, 1, Integer.SIZE / bits);
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    return PackedShape.of(this, rows, columns, n, k, DType.I32, k / tileColumns(), n);
  }

  @Override
  protected long element(PackedShape shape, long n, long k) {
    long fields = tileColumns();
    return (k / fields * shape.paddedRows() + n) * fields + k % fields;
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    int fields = tileColumns();
    long[] k = new long[Integer.numberOfTrailingZeros(fields)];
    for (int i = 0; i < k.length; i++) {
      k[i] = 1L << i;
    }
    return new IndexStrides(new long[0], fields, k, shape.paddedRows() * fields);
  }
}
