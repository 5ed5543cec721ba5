package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;

/**
 * 8-bit weights, bias 128, of the AllSpark kernel.
 *
 * <pre>
 *   kb = k/16   h = (k%16)/8   q = (k%8)/2   e = k%2
 *   nb = n/32   s = (n%32)/16   t = (n%16)/8   u = n%8
 *   uint8 [N'/4, 4K]     row 8*nb + u, column 64*kb + 8*(2*q + s) + 2*h + e + 4*t
 * </pre>
 *
 * <p>Source: vLLM 017e9f44, {@code csrc/quantization/gptq_allspark/allspark_repack.cu}.
 */
final class AllSparkWeight extends StridedLayout {
  AllSparkWeight(String id) {
    super(id, 8, 32, 16);
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    return PackedShape.of(this, rows, columns, n, k, DType.U8, n / 4, 4 * k);
  }

  @Override
  protected long element(PackedShape shape, long n, long k) {
    long kb = k / 16;
    long h = k % 16 / 8;
    long q = k % 8 / 2;
    long e = k % 2;
    long nb = n / 32;
    long s = n % 32 / 16;
    long t = n % 16 / 8;
    long u = n % 8;
    long row = 8 * nb + u;
    long column = 64 * kb + 8 * (2 * q + s) + 2 * h + e + 4 * t;
    return row * 4 * shape.paddedColumns() + column;
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    long row = 4 * shape.paddedColumns();
    long[] n = {row, 2 * row, 4 * row, 4, 8};
    long[] k = {1, 16, 32, 2};
    return new IndexStrides(n, 8 * row, k, 64);
  }
}
