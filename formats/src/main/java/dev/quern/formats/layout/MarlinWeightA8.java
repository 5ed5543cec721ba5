package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;

/**
 * 4-bit weights of the Marlin kernels for 8-bit activations: 32 inputs by 32 outputs a tile.
 *
 * <pre>
 *   kt = k/32   kk = k%32   nt = n/32   nn = n%32
 *   b = (nn%16)/8   warp = 2*(nn/16) + b   col = nn%8   h = kk/16   r = kk%16   th = 4*col + r/4
 *   word (kt*(N/32) + nt)*128 + 4*th + warp, field 2*(r%4) + h
 * </pre>
 *
 * <p>The tensor is declared as for 16-bit activations, {@code [K/16, 2N]}.
 *
 * <p>Source: vLLM 017e9f44, {@code marlin_utils_test.py}, {@code get_weight_perm} with 8-bit
 * activations.
 */
final class MarlinWeightA8 extends StridedLayout {
  private final boolean signMagnitude;

  /**
   * @param signMagnitude whether codes are re-encoded for FP8 activations: 8 to 15 become 0 to 7,
   *     and 0 to 7 become 15 to 8
   */
  MarlinWeightA8(String id, boolean signMagnitude) {
    super(id, 4, 64, 32, signMagnitude);
    this.signMagnitude = signMagnitude;
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    return PackedShape.of(this, rows, columns, n, k, DType.I32, k / 16, 2 * n);
  }

  @Override
  protected long element(PackedShape shape, long n, long k) {
    long kt = k / 32;
    long kk = k % 32;
    long nt = n / 32;
    long nn = n % 32;
    long b = nn % 16 / 8;
    long warp = 2 * (nn / 16) + b;
    long col = nn % 8;
    long h = kk / 16;
    long r = kk % 16;
    long th = 4 * col + r / 4;
    long word = (kt * (shape.paddedRows() / 32) + nt) * 128 + 4 * th + warp;
    return word * 8 + 2 * (r % 4) + h;
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    long tile = 32 * 32;
    long[] n = {128, 256, 512, 8, 16, tile};
    long[] k = {2, 4, 32, 64, 1};
    return new IndexStrides(n, 2 * tile, k, shape.paddedRows() / 32 * tile);
  }

  @Override
  public long encode(long code) {
    return !signMagnitude ? code : code >= 8 ? code - 8 : 15 - code;
  }

  @Override
  public long decode(long stored) {
    return !signMagnitude ? stored : stored < 8 ? stored + 8 : 15 - stored;
  }
}
