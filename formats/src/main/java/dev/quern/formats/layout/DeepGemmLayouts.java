package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Scales of FP8 blocks for DeepGEMM. Its weights stay E4M3 [N, K] in rows, and on Hopper the f32
 * scales of 128 x 128 tiles stay as they are, too.
 *
 * <p>Source: DeepGEMM, {@code deep_gemm/utils/layout} and {@code tests/test_layout.py}.
 */
public final class DeepGemmLayouts {
  /**
   * f32 scales of 128 inputs of a row, columns first, columns aligned to 16 bytes for TMA: {@code
   * j*roundup(M, 4) + m}.
   */
  public static final Layout SF_F32 =
      new FormulaLayout(
          "deepgemm-sf-f32@1",
          32,
          4,
          1,
          new FormulaLayout.Tensor(DType.F32, (m, j) -> new long[] {j, m}),
          (shape, m, j) -> j * shape.paddedRows() + m,
          shape -> new IndexStrides(digits(), 1, digits(), shape.paddedRows()));

  /**
   * Exponents for Blackwell, the scales being powers of two: four neighbours of a row in a word,
   * words column by column. Scales of tiles are repeated for each of their rows before.
   *
   * <pre>
   *   word (j/4)*roundup(M, 4) + m,     byte j%4
   * </pre>
   */
  public static final Layout SF_UE8M0 =
      new FormulaLayout(
          "deepgemm-sf-ue8m0@1",
          8,
          4,
          4,
          new FormulaLayout.Tensor(DType.I32, (m, j) -> new long[] {j / 4, m}),
          (shape, m, j) -> (j / 4 * shape.paddedRows() + m) * 4 + j % 4,
          shape -> new IndexStrides(digits(), 4, digits(1, 2), shape.paddedRows() * 4));

  static final List<Layout> ALL = List.of(SF_F32, SF_UE8M0);

  private DeepGemmLayouts() {}

  /**
   * The exponent byte of a scale that is a power of two.
   *
   * @throws IllegalArgumentException when it is none: DeepGEMM would drop its fraction silently
   */
  public static byte exponent(float scale) {
    if (!isPowerOfTwo(scale)) {
      throw new IllegalArgumentException(
          "scale "
              + scale
              + " is no power of two; round scales up to powers of two and quantize again");
    }
    return (byte) (Float.floatToRawIntBits(scale) >> 23);
  }

  /** Whether a normal float is a positive power of two, and so nothing but its exponent. */
  static boolean isPowerOfTwo(float scale) {
    int bits = Float.floatToRawIntBits(scale);
    return bits > 0 && (bits & (1 << 23) - 1) == 0 && !Float.isInfinite(scale);
  }
}
