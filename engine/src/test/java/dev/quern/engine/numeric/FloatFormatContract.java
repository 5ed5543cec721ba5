package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every float format promises; a subclass names the format and adds what is its own. */
abstract class FloatFormatContract {
  private final FloatFormat format;
  private final double[] values;

  FloatFormatContract(FloatFormat format) {
    this.format = format;
    this.values = format.values();
  }

  @Test
  void everyCodeDecodesToItsFormula() {
    int numbers = 0;
    for (int magnitude = 0; magnitude <= format.maxCode(); magnitude++) {
      float value = (float) format.value(magnitude);
      assertSameBits(format.decode().value(magnitude), value, magnitude);
      numbers++;
      if (magnitude > 0 || format.negativeZero()) {
        int negative = magnitude | format.signBit();
        assertSameBits(format.decode().value(negative), -value, negative);
        numbers++;
      }
    }
    int finite = 0;
    for (int code = 0; code < format.codes(); code++) {
      finite += Float.isFinite(format.decode().value(code)) ? 1 : 0;
    }
    assertThat(finite).as("no other code is finite").isEqualTo(numbers);
  }

  @Test
  void codesAreDistinct() {
    Set<Integer> seen = new HashSet<>();
    int numbers = 0;
    for (int code = 0; code < format.codes(); code++) {
      float value = format.decode().value(code);
      if (!Float.isNaN(value)) {
        seen.add(Float.floatToRawIntBits(value));
        numbers++;
      }
    }
    assertThat(seen).hasSize(numbers);
    assertThat(numbers).isGreaterThan(format.codes() - format.codes() / 32);
  }

  @Test
  void everyFiniteCodeRoundTrips() {
    for (FloatFormat.Rounding rounding : format.roundings()) {
      int finite = 0;
      for (int code = 0; code < format.codes(); code++) {
        float value = format.decode().value(code);
        if (Float.isFinite(value)) {
          assertCode(rounding, value, code);
          finite++;
        }
      }
      int signlessZero = format.negativeZero() ? 0 : 1;
      assertThat(finite).isEqualTo(2 * (format.maxCode() + 1) - signlessZero);
    }
  }

  /**
   * The three bits that decide a rounding: the last one kept, the first one dropped, and whether
   * any lower one is set.
   */
  @ParameterizedTest(name = "lsb {0} round {1} sticky {2}: {4}")
  @CsvSource({
    "0, 0, 0, 0, exact",
    "0, 0, 1, 0, below half: down",
    "0, 1, 0, 0, tie and even already: down",
    "0, 1, 1, 1, above half: up",
    "1, 0, 0, 0, exact",
    "1, 0, 1, 0, below half: down",
    "1, 1, 0, 1, tie and odd: up to even",
    "1, 1, 1, 1, above half: up",
  })
  void lastRoundAndStickyBit(int last, int round, int sticky, int up, String reason) {
    int rows = 0;
    for (int field = 0; field <= format.maxCode() >> format.mantissaBits(); field++) {
      int kept = (field << format.mantissaBits()) | last;
      if (kept + 1 > format.maxCode() || (kept == 0 && sticky == 1)) {
        continue; // past the end; and next to zero the lowest sticky bit may be no float at all
      }
      double spacing = format.value(kept + 1) - format.value(kept);
      int lowest = lowestStickyBit(format.value(kept), spacing);
      for (int place = 2; place <= (sticky == 1 ? lowest : 2); place++) {
        double dropped = spacing * (round / 2.0 + sticky * Math.pow(2, -place));
        float value = (float) (format.value(kept) + dropped);
        for (FloatFormat.Rounding rounding : format.roundings()) {
          assertCode(rounding, value, kept + up);
          assertCode(rounding, -value, format.signed(kept + up, true));
        }
        rows++;
      }
    }
    assertThat(rows).as(reason).isGreaterThan(format.maxCode() >> (format.mantissaBits() + 1));
  }

  /** How many places below {@code spacing} a float of this magnitude still has bits. */
  private static int lowestStickyBit(double magnitude, double spacing) {
    return Math.getExponent(spacing) - Math.getExponent((double) Math.ulp((float) magnitude));
  }

  @Test
  void everyMidpointGoesToEvenAndItsNeighboursToTheirSide() {
    for (FloatFormat.Rounding rounding : format.roundings()) {
      int midpoints = 0;
      for (int lower = 0; lower < format.maxCode(); lower++) {
        float midpoint = (float) ((values[lower] + values[lower + 1]) / 2);
        int even = lower % 2 == 0 ? lower : lower + 1;
        for (boolean negative : new boolean[] {false, true}) {
          float sign = negative ? -1 : 1;
          assertCode(rounding, sign * midpoint, format.signed(even, negative));
          assertCode(rounding, sign * Math.nextDown(midpoint), format.signed(lower, negative));
          assertCode(rounding, sign * Math.nextUp(midpoint), format.signed(lower + 1, negative));
        }
        midpoints++;
      }
      assertThat(midpoints).isEqualTo(format.maxCode());
    }
  }

  @Test
  void pastTheLargestValueTheRoundingLimitDecides() {
    float max = (float) values[format.maxCode()];
    float limit = (float) ((values[format.maxCode()] + values[format.maxCode() + 1]) / 2);
    for (FloatFormat.Rounding rounding : format.roundings()) {
      int over = rounding.overflowCode();
      int atLimit = format.maxCode() % 2 == 0 ? format.maxCode() : over;
      for (boolean negative : new boolean[] {false, true}) {
        float sign = negative ? -1 : 1;
        int largest = format.signed(format.maxCode(), negative);
        assertCode(rounding, sign * Math.nextDown(max), largest);
        assertCode(rounding, sign * max, largest);
        assertCode(rounding, sign * Math.nextUp(max), largest);
        assertCode(rounding, sign * Math.nextDown(limit), largest);
        assertCode(rounding, sign * limit, format.signed(atLimit, negative));
        assertCode(rounding, sign * Math.nextUp(limit), format.signed(over, negative));
        assertCode(rounding, sign * Float.MAX_VALUE, format.signed(over, negative));
        assertCode(rounding, sign * Float.POSITIVE_INFINITY, format.signed(over, negative));
      }
    }
  }

  @Test
  void zeroAndTheSmallestFloats() {
    for (FloatFormat.Rounding rounding : format.roundings()) {
      for (float tiny : new float[] {0f, Float.MIN_VALUE, Math.nextDown((float) (values[1] / 2))}) {
        assertCode(rounding, tiny, 0);
        assertCode(rounding, -tiny, format.signed(0, true));
      }
      assertCode(rounding, (float) (values[1] / 2), 0);
      assertCode(rounding, Math.nextUp((float) (values[1] / 2)), 1);
    }
  }

  @Test
  void everyNanStaysNan() {
    int visited = 0;
    for (FloatFormat.Rounding rounding : format.roundings()) {
      for (int payloadBit = 0; payloadBit < 23; payloadBit++) { // bit 22 clear: signalling
        for (int sign : new int[] {0, 0x8000_0000}) {
          int bits = sign | 0x7F80_0000 | (1 << payloadBit);
          int code = rounding.encode().code(Float.intBitsToFloat(bits));
          float back = format.decode().value(code);
          assertThat(Float.isNaN(back)).as("NaN 0x%08X -> 0x%X", bits, code).isTrue();
          if (format.negativeZero()) {
            assertThat(Float.floatToRawIntBits(back) & 0x8000_0000).isEqualTo(sign);
          }
          visited++;
        }
      }
      assertCode(rounding, Float.NaN, format.nanCode());
    }
    assertThat(visited).isEqualTo(format.roundings().size() * 46);
  }

  @Test
  void everyBf16AndF16InputGoesToTheNearestOfAllValues() {
    for (FloatFormat.Rounding rounding : format.roundings()) {
      int visited = 0;
      for (int pattern = 0; pattern < 1 << 16; pattern++) {
        // Not by our own decodes: these inputs are defined by the JDK alone.
        float bf16 = Float.intBitsToFloat(pattern << 16);
        float f16 = Float.float16ToFloat((short) pattern);
        visited += assertNearest(rounding, bf16) + assertNearest(rounding, f16);
      }
      assertThat(visited).isEqualTo(2 << 16);
    }
  }

  private int assertNearest(FloatFormat.Rounding rounding, float value) {
    if (Float.isNaN(value) && format.bits() == 16) { // keeps its payload: tested with the format
      assertThat(Float.isNaN(format.decode().value(rounding.encode().code(value)))).isTrue();
    } else {
      assertCode(rounding, value, format.expected(value, rounding, values));
    }
    return 1;
  }

  /** Every float of the binades around the smallest normal value, where subnormals end. */
  @Test
  void monotoneInStepsOfOneAcrossTheEndOfTheSubnormals() {
    float minNormal = (float) format.value(1 << format.mantissaBits());
    int from = Float.floatToRawIntBits(minNormal / 2);
    int to = Float.floatToRawIntBits(minNormal * 2);
    for (FloatFormat.Rounding rounding : format.roundings()) {
      int previous = rounding.encode().code(Float.intBitsToFloat(from));
      int first = previous;
      int visited = 0;
      for (int bits = from; bits <= to; bits++) {
        int code = rounding.encode().code(Float.intBitsToFloat(bits));
        if (code != previous && code != previous + 1) {
          fail("%s.%s: 0x%08X -> 0x%X after 0x%X", format, rounding, bits, code, previous);
        }
        previous = code;
        visited++;
      }
      assertThat(first).isEqualTo(1 << (format.mantissaBits() - 1));
      assertThat(previous).isEqualTo(2 << format.mantissaBits());
      assertThat(visited).isEqualTo(to - from + 1).isGreaterThan(1 << 23);
    }
  }

  @Test
  void signSymmetric() {
    for (FloatFormat.Rounding rounding : format.roundings()) {
      int visited = 0;
      for (int upper = 0; upper < 0x7F80; upper++) {
        for (int lower : new int[] {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF}) {
          float value = Float.intBitsToFloat((upper << 16) | lower);
          int code = rounding.encode().code(value);
          assertCode(rounding, -value, format.signed(code, true));
          visited++;
        }
      }
      assertThat(visited).isEqualTo(6 * 0x7F80);
    }
  }

  private void assertCode(FloatFormat.Rounding rounding, float value, int expected) {
    int code = rounding.encode().code(value);
    if (code != expected) {
      fail("%s.%s(%a): expected 0x%X, found 0x%X", format, rounding, value, expected, code);
    }
  }

  private void assertSameBits(float found, float expected, int code) {
    if (Float.floatToRawIntBits(found) != Float.floatToRawIntBits(expected)) {
      fail("%s.decode(0x%X): expected %a, found %a", format, code, expected, found);
    }
  }
}
