package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Weights of TensorRT-LLM's kernels for Blackwell, as FlashInfer prepares them: rows are shuffled
 * for the tile that ends the multiplication. Elements are bytes: for 4-bit codes, columns are pairs
 * of inputs.
 *
 * <pre>
 *   tile 128: blocks of 32 rows, row i goes to (i%4)*8 + i/4
 *   tile 64:  blocks of 16 rows, row i goes to (i%2)*8 + i/2
 * </pre>
 *
 * <p>Gated projections hold the rows of {@code up} first, then those of {@code gate}; {@link
 * TrtllmGated} puts them in turn before it shuffles.
 *
 * <p>Source: FlashInfer 2b6b6a5f, {@code shuffle_matrix_a}, {@code shuffle_matrix_sf_a}, {@code
 * convert_to_block_layout}.
 */
public final class TrtllmLayouts {
  private static final FormulaLayout.Tensor BYTES =
      new FormulaLayout.Tensor(DType.U8, (n, k) -> new long[] {n, k});

  private static final int BLOCK_K = 128;

  /** Tile 128: FP8 by tensor, NVFP4, MXFP8, MXINT4. */
  public static final Layout SHUFFLE_128 =
      new FormulaLayout(
          "trtllm-shuffle-128@1",
          8,
          128,
          1,
          BYTES,
          (shape, n, k) -> shuffled128(n) * shape.paddedColumns() + k,
          shape -> {
            long row = shape.paddedColumns();
            return new IndexStrides(
                digits(8 * row, 16 * row, row, 2 * row, 4 * row), 32 * row, digits(), 1);
          });

  /** Tile 64. */
  public static final Layout SHUFFLE_64 =
      new FormulaLayout(
          "trtllm-shuffle-64@1",
          8,
          64,
          1,
          BYTES,
          (shape, n, k) -> shuffled64(n) * shape.paddedColumns() + k,
          shape -> {
            long row = shape.paddedColumns();
            return new IndexStrides(digits(8 * row, row, 2 * row, 4 * row), 16 * row, digits(), 1);
          });

  /** Tile 128 for gated projections: rows in turn, then shuffled. */
  public static final Layout GATED_128 = new TrtllmGated("trtllm-gated-shuffle-128@1", 128);

  /**
   * FP8 with scales of 128 x 128 tiles: tile 64, and blocks of 128 inputs, {@code [K/128, N, 128]}.
   */
  public static final Layout FP8_BLOCK =
      new FormulaLayout(
          "trtllm-fp8-block@1",
          8,
          64,
          BLOCK_K,
          new FormulaLayout.Tensor(DType.F8_E4M3, (n, k) -> new long[] {k / BLOCK_K, n, BLOCK_K}),
          (shape, n, k) ->
              (k / BLOCK_K * shape.paddedRows() + shuffled64(n)) * BLOCK_K + k % BLOCK_K,
          shape ->
              new IndexStrides(
                  digits(8 * BLOCK_K, BLOCK_K, 2 * BLOCK_K, 4 * BLOCK_K),
                  16L * BLOCK_K,
                  digits(1, 2, 4, 8, 16, 32, 64),
                  shape.paddedRows() * BLOCK_K));

  /** Scales of groups for tile 128: rows shuffled, then {@link BlockScaleLayouts#SF_128X4}. */
  public static final Layout SF_128 =
      new FormulaLayout(
          "trtllm-sf-128@1",
          8,
          128,
          4,
          BYTES,
          (shape, m, j) -> BlockScaleLayouts.SF_128X4.bit(shape, shuffled128(m), j, 0) / Byte.SIZE,
          shape ->
              new IndexStrides(
                  digits(128, 256, 16, 32, 64, 4, 8),
                  shape.paddedColumns() / 4 * 512,
                  digits(1, 2),
                  512));

  static final List<Layout> ALL = List.of(SHUFFLE_128, SHUFFLE_64, GATED_128, FP8_BLOCK, SF_128);

  private TrtllmLayouts() {}

  /** Where a row goes for tile 128. */
  static long shuffled128(long row) {
    long i = row % 32;
    return row - i + i % 4 * 8 + i / 4;
  }

  /** Where a row goes for tile 64. */
  static long shuffled64(long row) {
    long i = row % 16;
    return row - i + i % 2 * 8 + i / 2;
  }
}
