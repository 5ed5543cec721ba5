package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.fail;

import java.util.stream.Stream;

/**
 * Walks all 2^32 floats in runs that must share a code.
 *
 * <p>A law works upwards from the bits of one float. This works downwards from the values of the
 * format: between two neighbouring midpoints every float has the same code, and a midpoint belongs
 * to the even side. So there is an expected code for each float without rounding any float.
 */
final class AllFloats {
  private static final int INFINITY_BITS = 0x7F80_0000;
  private static final int PIECE = 1 << 16;
  private static final int SIGN_BIT = 0x8000_0000;

  /**
   * Encodes {@code count} floats, from the one with bits {@code from} on, and says how many gave
   * {@code code}. Each test brings the loop itself, so that the JIT sees one law in it.
   */
  interface Run {
    int agreeing(int from, int count, int code);
  }

  private AllFloats() {}

  /** Fails unless all runs agree, and returns how many floats did; one thread for each sign. */
  static long agreeing(FloatFormat format, FloatFormat.Rounding rounding, Run run) {
    return Stream.of(false, true)
        .parallel()
        .mapToLong(negative -> ofOneSign(format, rounding, run, negative))
        .sum();
  }

  private static long ofOneSign(
      FloatFormat format, FloatFormat.Rounding rounding, Run run, boolean negative) {
    int sign = negative ? SIGN_BIT : 0;
    long agreed = 0;
    int from = 0;
    for (int code = 0; code <= format.maxCode(); code++) {
      float midpoint = (float) ((format.value(code) + format.value(code + 1)) / 2);
      int end = Float.floatToRawIntBits(midpoint) + (code % 2 == 0 ? 1 : 0);
      agreed += check(run, from | sign, end - from, format.signed(code, negative));
      from = end;
    }
    int tooLarge = format.signed(rounding.overflowCode(), negative);
    agreed += check(run, from | sign, INFINITY_BITS + 1 - from, tooLarge);

    // A 16-bit format keeps the top of a NaN's payload, an 8-bit one nothing of it.
    int payloadBits = format.bits() == 16 ? format.mantissaBits() : 0;
    int sharing = 1 << (23 - payloadBits);
    for (int top = 0; top < 1 << payloadBits; top++) {
      int infinity = top == 0 ? 1 : 0; // the first payload, zero, is infinity and was above
      int first = INFINITY_BITS + top * sharing + infinity;
      int code = format.signed(format.nanCode() | top, negative);
      agreed += check(run, first | sign, sharing - infinity, code);
    }
    return agreed;
  }

  private static long check(Run run, int from, int count, int code) {
    long agreed = 0;
    // In pieces, so that the loop gets called often enough to be compiled as a whole.
    for (int done = 0; done < count; done += PIECE) {
      agreed += run.agreeing(from + done, Math.min(count - done, PIECE), code);
    }
    if (agreed != count || count <= 0) {
      fail(
          "of the floats 0x%08X to 0x%08X all %d should give 0x%X, and %d do",
          from, from + count - 1, count, code, agreed);
    }
    return agreed;
  }
}
