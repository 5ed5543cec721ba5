package dev.quern.formats.layout;

import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.Stream;

/**
 * Scales of CUTLASS's kernels of 4-bit integers by FP8: eight E4M3 products for each group, and an
 * f32 number for each output.
 *
 * <pre>
 *   c(n)    = max(max over j of s(n, j) / 448, 1 / (448 * 512))     s8(n, j) = E4M3(E4M3(s(n, j) / c(n)) / 8)
 *   product = E4M3(s8(n, j) * v)   for v = -8, -7, ..., -1           channel scale = 8 * c(n)
 * </pre>
 *
 * <p>This is no bijection: a scale keeps four significant bits, and the products with 3, 5, 6 and 7
 * are rounded once more. What the kernel multiplies with is {@code 8 c(n) E4M3(s8 v)}. To be able
 * to go back, keep the logical scales.
 *
 * <p>Source: vLLM 017e9f44, {@code quant_utils.py}, {@code convert_packed_uint4b8_to_signed_int4}
 * and what follows it.
 */
public final class CutlassW4A8Scales {
  /** Products that are stored for a scale. */
  public static final int PRODUCTS = 8;

  private static final float LARGEST = 448;
  private static final float LEAST = 1 / (LARGEST * 512);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The kernel's weights, which these scales belong to. */
  public static final Layout WEIGHT = new CutlassW4A8Weight();

  static final List<Layout> ALL = Stream.of(WEIGHT).toList();

  private CutlassW4A8Scales() {}

  /**
   * Packs the scales of a matrix.
   *
   * @param scales row-major [outputs, groups], positive and finite
   * @param products receives {@code groups * outputs * 8} bytes, E4M3 [groups, outputs, 8]
   * @param channels receives f32 [outputs]
   * @throws IllegalArgumentException when there is no whole number of rows, or a segment is too
   *     short
   */
  public static void pack(
      float[] scales, int outputs, MemorySegment products, MemorySegment channels) {
    if (outputs < 1 || scales.length % outputs != 0) {
      throw new IllegalArgumentException(
          scales.length + " scales do not make " + outputs + " rows of groups");
    }
    int groups = scales.length / outputs;
    if (products.byteSize() < (long) scales.length * PRODUCTS
        || channels.byteSize() < (long) outputs * Float.BYTES) {
      throw new IllegalArgumentException(
          "expected "
              + (long) scales.length * PRODUCTS
              + " bytes for products and "
              + (long) outputs * Float.BYTES
              + " for channels, found "
              + products.byteSize()
              + " and "
              + channels.byteSize());
    }
    for (int n = 0; n < outputs; n++) {
      float channel = LEAST;
      for (int j = 0; j < groups; j++) {
        channel = Math.max(channel, scales[n * groups + j] / LARGEST);
      }
      channels.set(FLOAT, (long) n * Float.BYTES, PRODUCTS * channel);
      for (int j = 0; j < groups; j++) {
        float rounded = round(round(scales[n * groups + j] / channel) / PRODUCTS);
        long at = ((long) j * outputs + n) * PRODUCTS;
        for (int v = 0; v < PRODUCTS; v++) {
          products.set(ValueLayout.JAVA_BYTE, at + v, Fp8E4M3.encode(rounded * (v - PRODUCTS)));
        }
      }
    }
  }

  private static float round(float value) {
    return Fp8E4M3.decode(Fp8E4M3.encode(value));
  }
}
