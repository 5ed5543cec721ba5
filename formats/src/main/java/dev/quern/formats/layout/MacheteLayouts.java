package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Weights of Machete, vLLM's mixed-precision kernels for Hopper, with 16-bit activations. Codes are
 * unsigned, as in the checkpoint; a block is 128 outputs by 64 inputs.
 *
 * <pre>
 *   n' = n%128  wg = n'/64  r = n'%64  warp = r/16  i = (r%16)/8  hi = r%8
 *   k' = k%64   kk = k'/16  c = k'%16  h = c/8      lo = (c%8)/2  j = c%2
 *   thr = wg*128 + warp*32 + hi*4 + lo     v = j + 2*i + 4*h
 *   4 bits: pos = 4*(v%2) + v/2            8 bits: pos = v
 *   element = ((n/128) + (k/64)*(N/128))*8192 + thr*32 + kk*8 + pos
 * </pre>
 *
 * <p>The tensor is declared {@code int32 [K*bits/32, N]}, and its memory is the elements one after
 * the other. Scales stay {@code [G, N]} in the activations' type; a zero point z becomes the number
 * {@code -s * z}.
 *
 * <p>Source: vLLM 017e9f44, {@code csrc/quantization/machete}, the prepacked layout; derived from
 * CuTe's layouts of its instantiations for f16 and bf16 activations, and no others.
 */
public final class MacheteLayouts {
  private static final int BLOCK = 8192;

  /** 4-bit codes. */
  public static final Layout WEIGHT_4 = weight("machete-u4@1", 4);

  /** 8-bit codes. */
  public static final Layout WEIGHT_8 = weight("machete-u8@1", 8);

  static final List<Layout> ALL = List.of(WEIGHT_4, WEIGHT_8);

  private MacheteLayouts() {}

  private static Layout weight(String id, int bits) {
    boolean four = bits == 4;
    return new FormulaLayout(
        id,
        bits,
        128,
        64,
        new FormulaLayout.Tensor(DType.I32, (n, k) -> new long[] {k * bits / Integer.SIZE, n}),
        (shape, n, k) -> {
          long r = n % 64;
          long c = k % 16;
          long thread = n % 128 / 64 * 128 + r / 16 * 32 + r % 8 * 4 + c % 8 / 2;
          long v = c % 2 + r % 16 / 8 * 2 + c / 8 * 4;
          long position = four ? v % 2 * 4 + v / 2 : v;
          long block = n / 128 + k / 64 * (shape.paddedRows() / 128);
          return block * BLOCK + thread * 32 + k % 64 / 16 * 8 + position;
        },
        shape ->
            new IndexStrides(
                digits(128, 256, 512, four ? 1 : 2, 1024, 2048, 4096),
                BLOCK,
                digits(four ? 4 : 1, 32, 64, four ? 2 : 4, 8, 16),
                shape.paddedRows() / 128 * BLOCK));
  }
}
