package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;

/**
 * Weights of CUTLASS's kernels of 4-bit integers by FP8 for Hopper. Logical codes are those of
 * checkpoints, the signed weight plus 8.
 *
 * <pre>
 *   bn = n/16  r = n%16  i = r/8   hi = r%8
 *   bk = k/32  c = k%32  h = c/16  lo = (c%16)/4  j = c%4
 *   nibble = (bn + bk*(N/16))*512 + (4*hi + lo)*16 + j + 4*i + 8*h
 * </pre>
 *
 * <p>A signed weight w from 1 to 7 is stored as {@code 8 - w}, any other in two's complement: the
 * lower three bits then choose among the scale's eight products, see {@link CutlassW4A8Scales}.
 *
 * <p>Source: vLLM 017e9f44, {@code csrc/quantization/cutlass_w4a8}; CUTLASS example 55.
 */
final class CutlassW4A8Weight extends StridedLayout {
  private static final int ALIGNMENT = 128;
  private static final int BIAS = 8;
  private static final int MASK = 15;

  CutlassW4A8Weight() {
    super("cutlass-w4a8@1", 4, ALIGNMENT, ALIGNMENT, true);
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    return PackedShape.of(this, rows, columns, n, k, DType.I32, k / 8, n);
  }

  @Override
  protected long element(PackedShape shape, long n, long k) {
    long r = n % 16;
    long c = k % 32;
    long block = n / 16 + k / 32 * (shape.paddedRows() / 16);
    return block * 512 + (4 * (r % 8) + c % 16 / 4) * 16 + c % 4 + r / 8 * 4 + c / 16 * 8;
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    return new IndexStrides(
        new long[] {64, 128, 256, 4},
        512,
        new long[] {1, 2, 16, 32, 8},
        shape.paddedRows() / 16 * 512);
  }

  @Override
  public long encode(long code) {
    return swapped(code - BIAS & MASK);
  }

  @Override
  public long decode(long stored) {
    return swapped(stored) + BIAS & MASK;
  }

  /** Positive numbers count from 8 down; an involution. */
  private static long swapped(long t) {
    return t >= 1 && t < BIAS ? BIAS - t : t;
  }
}
