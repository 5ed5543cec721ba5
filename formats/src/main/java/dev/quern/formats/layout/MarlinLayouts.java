package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Layouts of the Marlin kernels: weights, scales, zero points, bias.
 *
 * <p>Source: vLLM 017e9f44, {@code marlin_utils.py}, {@code marlin_permute_scales}, {@code
 * marlin_permute_bias}, {@code marlin_zero_points}; IST-DASLab/marlin 2f6d7c10.
 */
public final class MarlinLayouts {
  /** 4-bit codes (INT4 with bias 8 or a zero point, E2M1) for 16-bit activations. */
  public static final Layout WEIGHT_4 = new MarlinWeight("marlin-i4-a16@1", 4);

  /** 8-bit codes (INT8 with bias 128, E4M3) for 16-bit activations. */
  public static final Layout WEIGHT_8 = new MarlinWeight("marlin-i8-a16@1", 8);

  /** 4-bit codes for INT8 activations. */
  public static final Layout WEIGHT_4_A8 = new MarlinWeightA8("marlin-i4-a8@1", false);

  /** 4-bit codes for FP8 activations: re-encoded, for scales that are multiplied by 512. */
  public static final Layout WEIGHT_4_F8 = new MarlinWeightA8("marlin-i4-f8@1", true);

  /** 16-bit scales with several groups: of 64 outputs, {@code c} becomes {@code 8*(c%8) + c/8}. */
  public static final Layout SCALES_GROUP =
      new Transposed(
          "marlin-scales-group@1", 16, DType.I16, c -> 8 * (c % 8) + c / 8, 8, 16, 32, 1, 2, 4);

  /**
   * 16-bit scales with one group, and bias: of 32 outputs, {@code c} becomes {@code 8*((c%8)/2) +
   * 2*(c/8) + c%2}.
   */
  public static final Layout SCALES_CHANNEL =
      new Transposed(
          "marlin-scales-channel@1",
          16,
          DType.I16,
          c -> 8 * (c % 8 / 2) + 2 * (c / 8) + c % 2,
          1,
          8,
          16,
          2,
          4);

  /** 4-bit zero points for 16-bit activations: as scales, then nibbles 0,2,4,6,1,3,5,7. */
  public static final Layout ZEROS_4 =
      new Transposed(
          "marlin-zeros-i4-a16@1", 4, DType.I32, MarlinLayouts::zero4, 8, 16, 32, 4, 1, 2);

  /** 4-bit zero points for 8-bit activations: as scales. */
  public static final Layout ZEROS_4_A8 =
      new Transposed(
          "marlin-zeros-i4-a8@1", 4, DType.I32, c -> 8 * (c % 8) + c / 8, 8, 16, 32, 1, 2, 4);

  /** 8-bit zero points: as scales, then bytes 0,2,1,3. No kernel reads them yet. */
  public static final Layout ZEROS_8 =
      new Transposed(
          "marlin-zeros-i8-a16@1", 8, DType.I32, MarlinLayouts::zero8, 8, 16, 32, 2, 1, 4);

  /** Bytes of E8M0 scales, and of NVFP4's: as group scales, then 0,2,1,3 of each four. */
  public static final Layout SCALES_BYTES =
      new Transposed(
          "marlin-scales-bytes@1", 8, DType.U8, MarlinLayouts::zero8, 8, 16, 32, 2, 1, 4);

  static final List<Layout> ALL =
      List.of(
          WEIGHT_4,
          WEIGHT_8,
          WEIGHT_4_A8,
          WEIGHT_4_F8,
          SCALES_GROUP,
          SCALES_CHANNEL,
          ZEROS_4,
          ZEROS_4_A8,
          ZEROS_8,
          SCALES_BYTES);

  private MarlinLayouts() {}

  private static int zero4(int c) {
    int d = 8 * (c % 8) + c / 8;
    int e = d % 8;
    return d - e + (e >> 1) + 4 * (e & 1);
  }

  private static int zero8(int c) {
    int d = 8 * (c % 8) + c / 8;
    int e = d % 4;
    return d - e + (e >> 1) + 2 * (e & 1);
  }
}
