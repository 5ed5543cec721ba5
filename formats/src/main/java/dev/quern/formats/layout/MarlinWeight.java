package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;

/**
 * Weights of the Marlin kernels: 16 inputs by 64 outputs a tile, dealt to the lanes of tensor core
 * instructions.
 *
 * <pre>
 *   kt = k/16   kk = k%16   nt = n/64   nn = n%64
 *   warp = nn/16   b = (nn%16)/8   col = nn%8   h = kk/8   r = kk%8   th = 4*col + r/2
 *
 *   4 bits: word (kt*(N/64) + nt)*128 + 4*th + warp,     field 4*(r%2) + 2*b + h
 *   8 bits: word (kt*(N/64) + nt)*256 + 8*th + 2*warp + b, field h + 2*(r%2)
 * </pre>
 *
 * <p>Source: IST-DASLab/marlin 2f6d7c10, {@code marlin/__init__.py}, {@code _get_perms}; vLLM
 * 017e9f44, {@code marlin_utils_test.py}, {@code get_weight_perm} for 16-bit activations.
 */
final class MarlinWeight extends StridedLayout {
  MarlinWeight(String id, int bits) {
    super(id, bits, 64, 16);
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    long words = n * 16 * bits() / Integer.SIZE;
    return PackedShape.of(this, rows, columns, n, k, DType.I32, k / 16, words);
  }

  @Override
  protected long element(PackedShape shape, long n, long k) {
    long kt = k / 16;
    long kk = k % 16;
    long nt = n / 64;
    long nn = n % 64;
    long warp = nn / 16;
    long b = nn % 16 / 8;
    long col = nn % 8;
    long h = kk / 8;
    long r = kk % 8;
    long th = 4 * col + r / 2;
    long tile = kt * (shape.paddedRows() / 64) + nt;
    if (bits() == 4) {
      return (tile * 128 + 4 * th + warp) * 8 + 4 * (r % 2) + 2 * b + h;
    }
    return (tile * 256 + 8 * th + 2 * warp + b) * 4 + h + 2 * (r % 2);
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    long tile = 64 * 16;
    long[] n = {128, 256, 512, bits() == 4 ? 2 : 4, 8, 16};
    long[] k = {bits() == 4 ? 4 : 2, 32, 64, 1};
    return new IndexStrides(n, tile, k, shape.paddedRows() / 64 * tile);
  }
}
