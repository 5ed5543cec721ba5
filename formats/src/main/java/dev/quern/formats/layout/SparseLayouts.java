package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * What kernels of 2:4 sparse matrices read beside the kept values: for each four neighbours a
 * nibble that says which two were kept, {@code first + 4 * second}. {@link SemiStructured} makes
 * values and nibbles out of a matrix; these layouts put the nibbles in order.
 *
 * <p>For Ampere (sm80) the logical matrix has words of nibbles, the earliest four lowest: 16 bits
 * for 16 columns of 16-bit weights, 32 bits for 32 columns of 8-bit ones. For Hopper (sm90) its
 * elements are the nibbles, {@code q = k/4}.
 *
 * <p>Source: torch 2.13, {@code sparse_semi_structured_conversions}; CUTLASS cf064fa1, the sparse
 * configurations of {@code sm90}; IST-DASLab/Sparse-Marlin.
 */
public final class SparseLayouts {
  /**
   * Ampere, 16-bit weights: words of 16 bits [M, K/16].
   *
   * <pre>
   *   R  = (a/32)*32 + (a%8)*4 + (a%32)/8
   *   R2 = (R &amp; ~1) | (c &amp; 1)      C2 = (c &amp; ~1) | (R &amp; 1)
   *   offset = (C2/2)*2*M + 2*R2 + C2%2
   * </pre>
   */
  public static final Layout SM80_16 =
      sm80("sm80-24-16@1", 16, 32, 4, DType.I16, digits(8, 16, 32, 1, 4));

  /** Ampere, 8-bit weights: words of 32 bits [M, K/32]; the same with 16 rows in place of 32. */
  public static final Layout SM80_8 =
      sm80("sm80-24-8@1", 32, 16, 2, DType.I32, digits(4, 8, 16, 1));

  /**
   * Hopper, 16-bit weights: nibbles [M, K/4].
   *
   * <pre>
   *   byte = ((m/64) + (k/64)*(M/64))*512 + 8*(m%8) + 2*((m%16)/8) + 128*((m%64)/16)
   *        + (k%16)/8 + 64*((k%32)/16) + 4*((k%64)/32),     nibble (k%8)/4
   * </pre>
   */
  public static final Layout SM90_16 =
      new FormulaLayout(
          "sm90-24-16@1",
          4,
          64,
          16,
          new FormulaLayout.Tensor(DType.U8, (m, q) -> new long[] {m * q / 2}),
          (shape, m, q) -> {
            long k = 4 * q;
            long tile = m / 64 + k / 64 * (shape.paddedRows() / 64);
            long row = 8 * (m % 8) + m % 16 / 8 * 2 + m % 64 / 16 * 128;
            long column = k % 16 / 8 + k % 32 / 16 * 64 + k % 64 / 32 * 4;
            return 2 * (tile * 512 + row + column) + k % 8 / 4;
          },
          shape ->
              new IndexStrides(
                  digits(16, 32, 64, 4, 256, 512),
                  1024,
                  digits(1, 2, 128, 8),
                  shape.paddedRows() / 64 * 1024));

  /**
   * Hopper, 8-bit weights: nibbles [M, K/4].
   *
   * <pre>
   *   byte = (k/128)*(M*16) + m*16 + (k%128)/8,     nibble (k%8)/4
   * </pre>
   */
  public static final Layout SM90_8 =
      new FormulaLayout(
          "sm90-24-8@1",
          4,
          64,
          32,
          new FormulaLayout.Tensor(DType.U8, (m, q) -> new long[] {m * q / 2}),
          (shape, m, q) -> {
            long k = 4 * q;
            long at = k / 128 * shape.paddedRows() * 16 + m * 16 + k % 128 / 8;
            return 2 * at + k % 8 / 4;
          },
          shape -> new IndexStrides(digits(), 32, digits(1, 2, 4, 8, 16), shape.paddedRows() * 32));

  static final List<Layout> ALL = List.of(SM80_16, SM80_8, SM90_16, SM90_8);

  /** Words of a row come by this many: 64 columns of 16-bit weights, 128 of 8-bit ones. */
  private static final int SM80_WORDS = 4;

  private SparseLayouts() {}

  private static Layout sm80(
      String id, int bits, int group, int interweave, DType dtype, long[] rowDigits) {
    return new FormulaLayout(
        id,
        bits,
        group,
        SM80_WORDS,
        new FormulaLayout.Tensor(dtype, (m, c) -> new long[] {m, c}),
        (shape, a, c) -> {
          long row = a / group * group + a % 8 * interweave + a % group / 8;
          long row2 = row & ~1L | c & 1;
          long column2 = c & ~1L | row & 1;
          return column2 / 2 * 2 * shape.paddedRows() + 2 * row2 + column2 % 2;
        },
        shape -> new IndexStrides(rowDigits, 2L * group, digits(2), 2 * shape.paddedRows()));
  }
}
