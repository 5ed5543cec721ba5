package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp4E2M1Test {
  private static final float[] VALUES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

  /** Where a code begins: the tie with the one below, or the float after it when that is even. */
  private static final int[] BEGINS = {
    1,
    Float.floatToRawIntBits(Math.nextUp(0.25f)),
    Float.floatToRawIntBits(0.75f),
    Float.floatToRawIntBits(Math.nextUp(1.25f)),
    Float.floatToRawIntBits(1.75f),
    Float.floatToRawIntBits(Math.nextUp(2.5f)),
    Float.floatToRawIntBits(3.5f),
    Float.floatToRawIntBits(Math.nextUp(5f)),
  };

  @Test
  void everyFloatOfBothSigns() {
    long agreed =
        IntStream.range(0, 1 << 15)
            .parallel()
            .mapToLong(piece -> agreeing(piece << 16, (piece << 16) + 0xFFFF))
            .sum();
    // All patterns of a sign but zero, whose sign is lost.
    assertThat(agreed).isEqualTo(2 * ((1L << 31) - 1));
    assertThat(Fp4E2M1.encode(0f)).isZero();
    assertThat(Fp4E2M1.encode(-0f)).isZero();
  }

  private static long agreeing(int first, int last) {
    long agreed = 0;
    for (int bits = Math.max(first, 1); bits <= last && bits > 0; bits++) {
      int code = 7;
      while (bits < BEGINS[code]) {
        code--;
      }
      agreed += Fp4E2M1.encode(Float.intBitsToFloat(bits)) == code ? 1 : 0;
      agreed += Fp4E2M1.encode(Float.intBitsToFloat(bits | 1 << 31)) == (code | 8) ? 1 : 0;
    }
    return agreed;
  }

  @Test
  void everyCodeIsAFixedPointButNegativeZero() {
    for (int code = 0; code < 16; code++) {
      float value = Fp4E2M1.decode(code);
      assertThat(value).isEqualTo(code < 8 ? VALUES[code] : -VALUES[code - 8]);
      assertThat(Fp4E2M1.encode(value)).isEqualTo(code == 8 ? 0 : code);
      assertThat(Fp4E2M1.decode(code | 0xFFF0)).isEqualTo(value);
    }
    assertThat(Float.floatToRawIntBits(Fp4E2M1.decode(8))).isEqualTo(1 << 31);
  }

  @ParameterizedTest
  @CsvSource({
    "0.25, 0",
    "0.75, 2",
    "1.25, 2",
    "1.75, 4",
    "2.5, 4",
    "3.5, 6",
    "5, 6", // ties
    "-0.25, 8",
    "-1e-45, 8",
    "1e-45, 0",
    "-0.2500001, 9",
    "5.0000005, 7",
    "6, 7",
    "1e30, 7",
    "Infinity, 7",
    "-Infinity, 15",
    "NaN, 7",
  })
  void whatAReaderWouldTry(float value, int code) {
    assertThat(Fp4E2M1.encode(value)).isEqualTo(code);
  }

  @Test
  void theConstants() {
    assertThat(Fp4E2M1.MAX_VALUE).isEqualTo(Fp4E2M1.decode(7));
    assertThat(Fp4E2M1.MIN_NORMAL).isEqualTo(Fp4E2M1.decode(2));
    assertThat(Fp4E2M1.MIN_VALUE).isEqualTo(Fp4E2M1.decode(1));
  }
}
