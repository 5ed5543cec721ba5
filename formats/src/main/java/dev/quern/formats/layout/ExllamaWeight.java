package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;

/**
 * Weights of ExLlama v2: words as in AutoGPTQ, but a word's even elements come first, so that a
 * kernel unpacks pairs of half-precision numbers with one mask.
 *
 * <pre>
 *   int32 [K*b/32, N]     word (k/f, n), f = 32/b,  field e/2 + f/2 * (e%2)  with  e = k % f
 * </pre>
 *
 * <p>Source: exllamav2 b9c025b4, {@code quant/qdq_4.cuh}, {@code shuffle_4bit_8}; {@code
 * qdq_2.cuh}.
 */
final class ExllamaWeight extends StridedLayout {
  ExllamaWeight(String id, int bits) {
    super(id, bits, 1, Integer.SIZE / bits);
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    return PackedShape.of(this, rows, columns, n, k, DType.I32, k / tileColumns(), n);
  }

  @Override
  protected long element(PackedShape shape, long n, long k) {
    long fields = tileColumns();
    long e = k % fields;
    return (k / fields * shape.paddedRows() + n) * fields + e / 2 + fields / 2 * (e % 2);
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    int fields = tileColumns();
    long[] k = new long[Integer.numberOfTrailingZeros(fields)];
    k[0] = fields / 2;
    for (int i = 1; i < k.length; i++) {
      k[i] = 1L << i - 1;
    }
    return new IndexStrides(new long[0], fields, k, shape.paddedRows() * fields);
  }
}
