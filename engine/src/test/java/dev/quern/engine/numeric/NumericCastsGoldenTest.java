package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Agreement with the casts of torch 2.13 on CPU, for every value in the golden file.
 *
 * <p>What torch does with values that are too large differs from format to format. As found in the
 * file:
 *
 * <ul>
 *   <li>{@code float8_e4m3fn} saturates, infinity included: {@link Fp8E4M3#encode}.
 *   <li>{@code float8_e5m2} gives infinity: {@link Fp8E5M2#encodeNonSaturating}. Behind a clamp to
 *       +-57344 (the {@code _saturating} tensors) it is {@link Fp8E5M2#encode}.
 *   <li>Both {@code fnuz} formats give NaN: {@code encodeNonSaturating}.
 *   <li>{@code float8_e8m0fnu} drops the sign and rounds: {@link E8M0#encodeNearest}.
 * </ul>
 *
 * <p>NaN: every 8-bit code is compared, sign included. Casts to f16 keep a NaN's payload as {@link
 * Fp16} does. Casts to bf16 do not: torch writes 0xFFFF for any NaN on the path that made this
 * file, where {@link Bf16} keeps sign and payload, so there a NaN must be a NaN. Decoded NaN are
 * compared as NaN, since torch's float bits for them (some signalling) come from table entries, not
 * from a rule.
 */
class NumericCastsGoldenTest {
  private static final int PATTERNS = 1 << 16;
  private static final int F32_VALUES = 200_000;

  private final Golden golden;

  NumericCastsGoldenTest() throws IOException {
    golden = Golden.numericCasts();
  }

  static Stream<Arguments> casts() {
    FloatFormat.Encode e4m3 = x -> Fp8E4M3.encode(x) & 0xFF;
    FloatFormat.Encode e5m2 = x -> Fp8E5M2.encodeNonSaturating(x) & 0xFF;
    FloatFormat.Encode e5m2Saturating = x -> Fp8E5M2.encode(x) & 0xFF;
    FloatFormat.Encode e4m3fnuz = x -> Fp8E4M3Fnuz.encodeNonSaturating(x) & 0xFF;
    FloatFormat.Encode e5m2fnuz = x -> Fp8E5M2Fnuz.encodeNonSaturating(x) & 0xFF;
    FloatFormat.Encode e8m0 = x -> E8M0.encodeNearest(x) & 0xFF;
    return Stream.of(
        Arguments.of("float8_e4m3fn_torch", e4m3, true),
        Arguments.of("e4m3fn_saturating", e4m3, false),
        Arguments.of("float8_e5m2_torch", e5m2, true),
        Arguments.of("e5m2_saturating", e5m2Saturating, false),
        Arguments.of("float8_e4m3fnuz_torch", e4m3fnuz, true),
        Arguments.of("float8_e5m2fnuz_torch", e5m2fnuz, true),
        Arguments.of("float8_e8m0fnu_torch", e8m0, false));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("casts")
  void everyInputCastsLikeTorch(String cast, FloatFormat.Encode law, boolean alsoFromF32) {
    int[] patterns = golden.bits("bits", "I16");
    int[] fromBf16 = golden.bits("bf16_to_" + cast, "U8");
    int[] fromF16 = golden.bits("f16_to_" + cast, "U8");
    int visited = 0;
    for (int i = 0; i < PATTERNS; i++) {
      assertThat(patterns[i]).isEqualTo(i);
      visited += compare(law, Bf16.decode((short) i), fromBf16[i]);
      visited += compare(law, Fp16.decode((short) i), fromF16[i]);
    }
    if (alsoFromF32) {
      int[] inputs = golden.bits("f32_bits", "I32");
      int[] fromF32 = golden.bits("f32_to_" + cast, "U8");
      for (int i = 0; i < F32_VALUES; i++) {
        visited += compare(law, Float.intBitsToFloat(inputs[i]), fromF32[i]);
      }
    }
    assertThat(visited).isEqualTo(2 * PATTERNS + (alsoFromF32 ? F32_VALUES : 0));
  }

  /** As values, sign of zero included; NaN, for which E2M1 has no code, is left out. */
  @Test
  void everyInputRoundsToE2m1LikeTheReference() {
    int[] fromBf16 = golden.bits("bf16_to_fp4_value", "F32");
    int[] fromF16 = golden.bits("f16_to_fp4_value", "F32");
    int visited = 0;
    for (int i = 0; i < PATTERNS; i++) {
      visited += compareE2M1(Bf16.decode((short) i), fromBf16[i]);
      visited += compareE2M1(Fp16.decode((short) i), fromF16[i]);
    }
    int nans = 2 * 127 + 2 * 1023;
    assertThat(visited).isEqualTo(2 * PATTERNS - nans);
  }

  private static int compareE2M1(float value, int expected) {
    if (Float.isNaN(value)) {
      assertThat(Float.intBitsToFloat(expected)).isNaN();
      return 0;
    }
    return compare(
        x -> Float.floatToRawIntBits(Fp4E2M1.decode(Fp4E2M1.encode(x))), value, expected);
  }

  static Stream<Arguments> decodes() {
    FloatFormat.Decode e8m0 = c -> E8M0.decode((byte) c);
    return Stream.of(
        Arguments.of("float8_e4m3fn", FloatFormat.FP8_E4M3.decode()),
        Arguments.of("float8_e5m2", FloatFormat.FP8_E5M2.decode()),
        Arguments.of("float8_e4m3fnuz", FloatFormat.FP8_E4M3_FNUZ.decode()),
        Arguments.of("float8_e5m2fnuz", FloatFormat.FP8_E5M2_FNUZ.decode()),
        Arguments.of("float8_e8m0fnu", e8m0));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("decodes")
  void everyCodeDecodesLikeTorch(String format, FloatFormat.Decode law) {
    int[] values = golden.bits("decode_" + format, "F32");
    int visited = 0;
    for (int code = 0; code < 256; code++) {
      // Boxed, so that Float.equals compares: it tells -0 from 0 and takes all NaN for one.
      Float expected = Float.intBitsToFloat(values[code]);
      float found = law.value(code);
      assertThat(found).as("code 0x%02X", code).isEqualTo(expected);
      visited++;
    }
    assertThat(visited).isEqualTo(256);
  }

  @Test
  void f32ToF16IsTorchsIncludingNanPayloads() {
    int[] inputs = golden.bits("f32_bits", "I32");
    int[] casts = golden.bits("f32_to_f16", "I16");
    int visited = 0;
    for (int i = 0; i < F32_VALUES; i++) {
      visited += compare(x -> Fp16.encode(x) & 0xFFFF, Float.intBitsToFloat(inputs[i]), casts[i]);
    }
    assertThat(visited).isEqualTo(F32_VALUES);
  }

  @Test
  void f32ToBf16IsTorchsExceptForNanPayloads() {
    int[] inputs = golden.bits("f32_bits", "I32");
    int[] casts = golden.bits("f32_to_bf16", "I16");
    int numbers = 0;
    int nans = 0;
    for (int i = 0; i < F32_VALUES; i++) {
      float value = Float.intBitsToFloat(inputs[i]);
      if (Float.isNaN(value)) {
        assertThat(Bf16.isNaN((short) casts[i])).isTrue();
        assertThat(Bf16.isNaN(Bf16.encode(value))).isTrue();
        nans++;
      } else {
        numbers += compare(x -> Bf16.encode(x) & 0xFFFF, value, casts[i]);
      }
    }
    assertThat(nans).isEqualTo(777);
    assertThat(numbers).isEqualTo(F32_VALUES - 777);
  }

  private static int compare(FloatFormat.Encode law, float value, int expected) {
    int found = law.code(value);
    if (found != expected) {
      fail(
          "%a (0x%08X): torch 0x%X, law 0x%X",
          value, Float.floatToRawIntBits(value), expected, found);
    }
    return 1;
  }
}
