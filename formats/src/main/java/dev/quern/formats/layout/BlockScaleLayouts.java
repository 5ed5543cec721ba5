package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Scales of blocks for Blackwell's tensor cores: E4M3 codes of NVFP4, E8M0 codes of MXFP4 and
 * MXFP8. Rows are outputs (of activations: tokens), columns the groups of 16 or 32 inputs.
 *
 * <p>Source: the block scaling layout of NVIDIA's cuBLAS documentation ("128x4"); CUTLASS cf064fa1,
 * {@code Sm1xxBlockScaledConfig}; FlashInfer for "8x4".
 */
public final class BlockScaleLayouts {
  private static final FormulaLayout.Tensor BYTES =
      new FormulaLayout.Tensor(DType.U8, (rows, groups) -> new long[] {rows, groups});

  /**
   * 512 bytes hold 128 rows of 4 groups.
   *
   * <pre>
   *   ((m/128)*(G/4) + j/4)*512 + (m%32)*16 + ((m%128)/32)*4 + j%4
   * </pre>
   */
  public static final Layout SF_128X4 =
      new FormulaLayout(
          "sf-128x4@1",
          8,
          128,
          4,
          BYTES,
          (shape, m, j) ->
              (m / 128 * (shape.paddedColumns() / 4) + j / 4) * 512
                  + m % 32 * 16
                  + m % 128 / 32 * 4
                  + j % 4,
          shape ->
              new IndexStrides(
                  digits(16, 32, 64, 128, 256, 4, 8),
                  shape.paddedColumns() / 4 * 512,
                  digits(1, 2),
                  512));

  /**
   * For few tokens, at most 32: 32 bytes hold 8 rows of 4 groups.
   *
   * <pre>
   *   ((m/8)*(G/4) + j/4)*32 + (m%8)*4 + j%4
   * </pre>
   */
  public static final Layout SF_8X4 =
      new FormulaLayout(
          "sf-8x4@1",
          8,
          8,
          4,
          BYTES,
          (shape, m, j) -> (m / 8 * (shape.paddedColumns() / 4) + j / 4) * 32 + m % 8 * 4 + j % 4,
          shape ->
              new IndexStrides(digits(4, 8, 16), shape.paddedColumns() / 4 * 32, digits(1, 2), 32));

  static final List<Layout> ALL = List.of(SF_128X4, SF_8X4);

  private BlockScaleLayouts() {}
}
