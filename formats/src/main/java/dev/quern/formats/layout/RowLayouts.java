package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/** Rows as they are, with room for more: what kernels read that only want whole tiles. */
public final class RowLayouts {
  /** 4-bit codes, {@code uint8 [N, K/2]}, padded to 32 outputs by 32 inputs. */
  public static final Layout ROWS_4 =
      new FormulaLayout(
          "rows-32x32-b4@1",
          4,
          32,
          32,
          new FormulaLayout.Tensor(DType.U8, (n, k) -> new long[] {n, k / 2}),
          (shape, n, k) -> n * shape.paddedColumns() + k,
          shape -> new IndexStrides(digits(), shape.paddedColumns(), digits(1, 2, 4, 8, 16), 32));

  static final List<Layout> ALL = List.of(ROWS_4);

  private RowLayouts() {}
}
