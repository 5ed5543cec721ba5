package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Weights of kernels for processors, as far as their order is public. Engines make them while they
 * load; most depend on the machine, so a checkpoint should rather hold logical tensors. What only a
 * library knows is among {@link OpaqueLayout#ALL}.
 *
 * <p>Source: vLLM 017e9f44, {@code csrc/cpu}; SGLang, {@code sgl-kernel/csrc/cpu} ({@code
 * convert_weight_packed}).
 */
public final class CpuLayouts {
  private static final int BLOCK_N = 32;

  /**
   * 4-bit codes of vLLM's {@code CPUWNA16}: {@code int32 [N/16, K, 2]}; nibble i of word {@code
   * (nb, k, j)} is output {@code 16*nb + 8*j + i}.
   */
  public static final Layout WNA16 =
      new FormulaLayout(
          "cpu-wna16-i4@1",
          4,
          16,
          1,
          new FormulaLayout.Tensor(DType.I32, (n, k) -> new long[] {n / 16, k, 2}),
          (shape, n, k) -> (n / 16 * shape.paddedColumns() + k) * 16 + n % 16,
          shape -> new IndexStrides(digits(1, 2, 4, 8), shape.paddedColumns() * 16, digits(), 16));

  /**
   * int8 for AMX: blocks of 32 outputs, {@code [N/32, K/4, 32, 4]}. SGLang's kernel wants 32 int32
   * sums behind each block, {@code 128 * sum over k of w}; they are not part of this map.
   */
  public static final Layout AMX_I8 = vnni("amx-vnni-i8@1", DType.I8, 4);

  /** FP8 for AMX: pairs of bytes, {@code [N/32, K/2, 32, 2]}. */
  public static final Layout AMX_FP8 = vnni("amx-vnni-fp8@1", DType.F8_E4M3, 2);

  /** bf16 for AMX, {@code [N/32, K/2, 32, 2]}. */
  public static final Layout AMX_BF16 = vnni("amx-vnni-bf16@1", DType.BF16, 2);

  static final List<Layout> ALL = List.of(WNA16, AMX_I8, AMX_FP8, AMX_BF16);

  private CpuLayouts() {}

  private static Layout vnni(String id, DType dtype, int together) {
    long[] columns = together == 4 ? digits(1, 2) : digits(1);
    return new FormulaLayout(
        id,
        dtype.bits(),
        BLOCK_N,
        together,
        new FormulaLayout.Tensor(
            dtype, (n, k) -> new long[] {n / BLOCK_N, k / together, BLOCK_N, together}),
        (shape, n, k) ->
            n / BLOCK_N * shape.paddedColumns() * BLOCK_N
                + (k / together * BLOCK_N + n % BLOCK_N) * together
                + k % together,
        shape ->
            new IndexStrides(
                digits(together, 2L * together, 4L * together, 8L * together, 16L * together),
                shape.paddedColumns() * BLOCK_N,
                columns,
                (long) BLOCK_N * together));
  }
}
