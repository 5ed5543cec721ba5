package dev.quern.engine.numeric;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A small float format as its tests see it: the law's methods, and the numbers that define the
 * format. From those numbers alone it also works out, in double arithmetic, what the law should do.
 *
 * @param name the class of the law
 * @param bits width of a code, 8 or 16
 * @param mantissaBits bits of the mantissa field
 * @param bias exponent bias
 * @param maxCode code of the largest finite value
 * @param nanCode code that NaN becomes, without its sign
 * @param negativeZero whether -0 exists; where it does not, its code is the NaN
 * @param roundings the law's encodes
 * @param decode the law's decode
 */
record FloatFormat(
    String name,
    int bits,
    int mantissaBits,
    int bias,
    int maxCode,
    int nanCode,
    boolean negativeZero,
    List<Rounding> roundings,
    Decode decode) {

  interface Encode {
    int code(float value);
  }

  interface Decode {
    float value(int code);
  }

  /** One encode of the law, and the code (without sign) that it gives to what is too large. */
  record Rounding(String name, Encode encode, int overflowCode) {
    @Override
    public String toString() {
      return name;
    }
  }

  static final FloatFormat BF16 =
      new FloatFormat(
          "Bf16",
          16,
          7,
          127,
          0x7F7F,
          0x7FC0,
          true,
          List.of(new Rounding("encode", x -> Bf16.encode(x) & 0xFFFF, 0x7F80)),
          c -> Bf16.decode((short) c));

  static final FloatFormat FP16 =
      new FloatFormat(
          "Fp16",
          16,
          10,
          15,
          0x7BFF,
          0x7E00,
          true,
          List.of(new Rounding("encode", x -> Fp16.encode(x) & 0xFFFF, 0x7C00)),
          c -> Fp16.decode((short) c));

  static final FloatFormat FP8_E4M3 =
      new FloatFormat(
          "Fp8E4M3",
          8,
          3,
          7,
          0x7E,
          0x7F,
          true,
          List.of(
              new Rounding("encode", x -> Fp8E4M3.encode(x) & 0xFF, 0x7E),
              new Rounding("nonSaturating", x -> Fp8E4M3.encodeNonSaturating(x) & 0xFF, 0x7F)),
          c -> Fp8E4M3.decode((byte) c));

  static final FloatFormat FP8_E5M2 =
      new FloatFormat(
          "Fp8E5M2",
          8,
          2,
          15,
          0x7B,
          0x7F,
          true,
          List.of(
              new Rounding("encode", x -> Fp8E5M2.encode(x) & 0xFF, 0x7B),
              new Rounding("nonSaturating", x -> Fp8E5M2.encodeNonSaturating(x) & 0xFF, 0x7C)),
          c -> Fp8E5M2.decode((byte) c));

  static final FloatFormat FP8_E4M3_FNUZ =
      new FloatFormat(
          "Fp8E4M3Fnuz",
          8,
          3,
          8,
          0x7F,
          0x80,
          false,
          List.of(
              new Rounding("encode", x -> Fp8E4M3Fnuz.encode(x) & 0xFF, 0x7F),
              new Rounding("nonSaturating", x -> Fp8E4M3Fnuz.encodeNonSaturating(x) & 0xFF, 0x80)),
          c -> Fp8E4M3Fnuz.decode((byte) c));

  static final FloatFormat FP8_E5M2_FNUZ =
      new FloatFormat(
          "Fp8E5M2Fnuz",
          8,
          2,
          16,
          0x7F,
          0x80,
          false,
          List.of(
              new Rounding("encode", x -> Fp8E5M2Fnuz.encode(x) & 0xFF, 0x7F),
              new Rounding("nonSaturating", x -> Fp8E5M2Fnuz.encodeNonSaturating(x) & 0xFF, 0x80)),
          c -> Fp8E5M2Fnuz.decode((byte) c));

  int codes() {
    return 1 << bits;
  }

  int signBit() {
    return 1 << (bits - 1);
  }

  /**
   * The value of a code without sign, by the textbook formula. It goes on past {@link #maxCode}, as
   * if the exponent had no end: {@code value(maxCode + 1)} is what the format lacks by a hair.
   */
  double value(int magnitude) {
    int field = magnitude >> mantissaBits;
    double fraction = (magnitude & ((1 << mantissaBits) - 1)) / Math.pow(2, mantissaBits);
    return field == 0
        ? fraction * Math.pow(2, 1 - bias)
        : (1 + fraction) * Math.pow(2, field - bias);
  }

  /** All values from 0 to one step past the largest, ascending: index is code. */
  double[] values() {
    return IntStream.rangeClosed(0, maxCode + 1).mapToDouble(this::value).toArray();
  }

  /**
   * The code that {@code rounding} should give: the nearest of all {@code values}, ties to even.
   */
  int expected(float value, Rounding rounding, double[] values) {
    boolean negative = Float.floatToRawIntBits(value) < 0;
    if (Float.isNaN(value)) {
      return signed(nanCode, negative);
    }
    int nearest = nearest(Math.abs((double) value), values);
    return signed(nearest > maxCode ? rounding.overflowCode() : nearest, negative);
  }

  private int nearest(double magnitude, double[] values) {
    if (magnitude >= values[maxCode + 1]) {
      return maxCode + 1;
    }
    int found = Arrays.binarySearch(values, magnitude);
    if (found >= 0) {
      return found;
    }
    int above = -found - 1;
    int below = above - 1;
    double toAbove = values[above] - magnitude;
    double toBelow = magnitude - values[below];
    if (toAbove == toBelow) {
      return above % 2 == 0 ? above : below;
    }
    return toAbove < toBelow ? above : below;
  }

  /** {@code magnitude} with a sign where the format lets it have one. */
  int signed(int magnitude, boolean negative) {
    boolean signless = !negativeZero && (magnitude == 0 || magnitude == nanCode);
    return negative && !signless ? magnitude | signBit() : magnitude;
  }

  @Override
  public String toString() {
    return name;
  }
}
