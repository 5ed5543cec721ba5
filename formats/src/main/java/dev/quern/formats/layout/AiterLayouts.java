package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Weights that AMD's AITER calls preshuffled, layout (16, 16): tiles of 16 outputs by 16 bytes of
 * inputs, for MI300 and MI350. The tensor keeps the shape [N, K].
 *
 * <p>Source: AITER, {@code aiter/ops/shuffle.py}, {@code shuffle_weight} and {@code shuffle_scale}.
 */
public final class AiterLayouts {
  private static final FormulaLayout.Dimensions MATRIX = (n, k) -> new long[] {n, k};

  /**
   * FP8.
   *
   * <pre>
   *   (((n/16)*(K/32) + k/32)*2 + (k%32)/16)*256 + (n%16)*16 + k%16
   * </pre>
   */
  public static final Layout FP8 =
      new FormulaLayout(
          "aiter-16x16-fp8@1",
          8,
          16,
          32,
          new FormulaLayout.Tensor(DType.F8_E4M3, MATRIX),
          (shape, n, k) -> bytes(n, k, shape.paddedColumns()),
          shape ->
              new IndexStrides(
                  digits(16, 32, 64, 128),
                  shape.paddedColumns() * 16,
                  digits(1, 2, 4, 8, 256),
                  512));

  /**
   * bf16, counted in elements.
   *
   * <pre>
   *   (((n/16)*(K/32) + k/32)*4 + (k%32)/8)*128 + (n%16)*8 + k%8
   * </pre>
   */
  public static final Layout BF16 =
      new FormulaLayout(
          "aiter-16x16-bf16@1",
          16,
          16,
          32,
          new FormulaLayout.Tensor(DType.BF16, MATRIX),
          (shape, n, k) ->
              ((n / 16 * (shape.paddedColumns() / 32) + k / 32) * 4 + k % 32 / 8) * 128
                  + n % 16 * 8
                  + k % 8,
          shape ->
              new IndexStrides(
                  digits(8, 16, 32, 64),
                  shape.paddedColumns() * 16,
                  digits(1, 2, 4, 128, 256),
                  512));

  /** FP4: bytes of two inputs go where FP8 has its elements. */
  public static final Layout FP4 =
      new FormulaLayout(
          "aiter-16x16-fp4@1",
          4,
          16,
          64,
          new FormulaLayout.Tensor(DType.U8, (n, k) -> new long[] {n, k / 2}),
          (shape, n, k) -> 2 * bytes(n, k / 2, shape.paddedColumns() / 2) + k % 2,
          shape ->
              new IndexStrides(
                  digits(32, 64, 128, 256),
                  shape.paddedColumns() * 16,
                  digits(1, 2, 4, 8, 16, 512),
                  1024));

  /**
   * E8M0 scales of MXFP4, 256 rows by 8 groups a tile.
   *
   * <pre>
   *   m = 32a + 16b + c     j = 8d + 4e + f
   *   ((((a*(G/8) + d)*4 + f)*16 + c)*2 + e)*2 + b
   * </pre>
   */
  public static final Layout MX_SCALE =
      new FormulaLayout(
          "aiter-mxsf@1",
          8,
          256,
          8,
          new FormulaLayout.Tensor(DType.U8, MATRIX),
          (shape, m, j) -> {
            long group = m / 32 * (shape.paddedColumns() / 8) + j / 8;
            return (((group * 4 + j % 4) * 16 + m % 16) * 2 + j % 8 / 4) * 2 + m % 32 / 16;
          },
          shape ->
              new IndexStrides(
                  digits(4, 8, 16, 32, 1), shape.paddedColumns() * 32, digits(64, 128, 2), 256));

  static final List<Layout> ALL = List.of(FP8, BF16, FP4, MX_SCALE);

  private AiterLayouts() {}

  private static long bytes(long n, long k, long columns) {
    return ((n / 16 * (columns / 32) + k / 32) * 2 + k % 32 / 16) * 256 + n % 16 * 16 + k % 16;
  }
}
