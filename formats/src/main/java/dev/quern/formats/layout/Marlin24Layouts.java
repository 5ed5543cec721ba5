package dev.quern.formats.layout;

import static dev.quern.formats.layout.FormulaLayout.digits;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Weights of Sparse-Marlin, whose runtime vLLM has removed. Rows of the logical matrix are outputs;
 * its columns are the kept codes, two of each four inputs: {@code Kc = K/2}.
 *
 * <pre>
 *   kt = kc/16  kk = kc%16  h = kk/8   r = kk%8
 *   nt = n/64   nn = n%64   co = nn/16  cm = (nn%16)/8  b = (nn%8)/4  j = nn%4
 *   col = 2*co + cm   th = 4*col + r/2
 *
 *   4 bits: v = 4*b + 2*h + r%2   word (kt*(N/64) + nt)*128 + 4*th + j,       field (v/2) + 4*(v%2)
 *   8 bits:                       word (kt*(N/64) + nt)*256 + 8*th + 2*j + b, field h + 2*(r%2)
 * </pre>
 *
 * <p>The nibbles that say which inputs were kept are {@link SparseLayouts#SM80_16}, declared as
 * {@code int16 [K/32, 2N]}.
 *
 * <p>Source: IST-DASLab/Sparse-Marlin; compressed-tensors' former {@code marlin-24} compressor.
 */
public final class Marlin24Layouts {
  private static final int TILE = 16 * 64;

  /** 4-bit codes. */
  public static final Layout WEIGHT_4 = weight("marlin24-i4@1", 4);

  /** 8-bit codes. */
  public static final Layout WEIGHT_8 = weight("marlin24-i8@1", 8);

  /**
   * Scales of groups, 16-bit: of eight neighbouring outputs, output {@code s} goes to {@code
   * 2*(s%4) + s/4}. The tensor is [G, N]. Scales of channels stay as they are.
   */
  public static final Layout SCALE =
      new FormulaLayout(
          "marlin24-scale@1",
          16,
          8,
          1,
          new FormulaLayout.Tensor(DType.F16, (n, g) -> new long[] {g, n}),
          (shape, n, g) -> g * shape.paddedRows() + n / 8 * 8 + 2 * (n % 4) + n % 8 / 4,
          shape -> new IndexStrides(digits(2, 4, 1), 8, digits(), shape.paddedRows()));

  static final List<Layout> ALL = List.of(WEIGHT_4, WEIGHT_8, SCALE);

  private Marlin24Layouts() {}

  private static Layout weight(String id, int bits) {
    boolean four = bits == 4;
    return new FormulaLayout(
        id,
        bits,
        64,
        16,
        new FormulaLayout.Tensor(
            DType.I32, (n, kc) -> new long[] {kc / 16, n * 16 * bits / Integer.SIZE}),
        (shape, n, kc) -> {
          long h = kc % 16 / 8;
          long r = kc % 8;
          long b = n % 8 / 4;
          long j = n % 4;
          long column = n % 64 / 16 * 2 + n % 16 / 8;
          long thread = 4 * column + r / 2;
          long tile = kc / 16 * (shape.paddedRows() / 64) + n / 64;
          long v = 4 * b + 2 * h + r % 2;
          return four
              ? (tile * 128 + 4 * thread + j) * 8 + v / 2 + 4 * (v % 2)
              : (tile * 256 + 8 * thread + 2 * j + b) * 4 + h + 2 * (r % 2);
        },
        shape ->
            new IndexStrides(
                digits(8, 16, four ? 2 : 4, 128, 256, 512),
                TILE,
                digits(four ? 4 : 2, 32, 64, 1),
                shape.paddedRows() / 64 * TILE));
  }
}
