package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MxScalesTest {
  @ParameterizedTest
  @CsvSource({
    // type, largest magnitude, largest exponent, scale
    "BF16, 1, 2, 0.25",
    "BF16, 1.7421875, 2, 0.25",
    "BF16, 1.75, 2, 0.5",
    "BF16, 6, 2, 1",
    "BF16, 7, 2, 2",
    "F32, 447, 8, 1",
    "F32, 447.99997, 8, 1",
    "F32, 448, 8, 2",
    "F16, 1.7490234, 8, 0.00390625",
    "F16, 1.75, 8, 0.0078125",
    "F16, 65504, 2, 16384",
  })
  void upFromOneAndThreeQuarters(FloatType type, float largest, int maxExponent, float scale) {
    assertThat(E8M0.decode(MxScales.code(type, type.encode(largest), maxExponent)))
        .isEqualTo(scale);
  }

  /** By the formula in doubles, for every pattern of the 16-bit types. */
  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void everyPattern(FloatType type) {
    double smallestNormal = type.decode(Integer.lowestOneBit(type.infinityBits()));
    int visited = 0;
    for (int maxExponent : new int[] {2, 8}) {
      for (int bits = 0; bits < type.infinityBits(); bits++) {
        double largest = type.decode(bits);
        int exponent = largest == 0 ? -1000 : Math.getExponent(largest);
        double significand = largest / Math.pow(2, exponent);
        boolean subnormal = largest < smallestNormal;
        // Subnormals carry into the smallest exponent from three quarters of it on.
        double rounded =
            subnormal
                ? largest >= 0.75 * smallestNormal ? smallestNormal : 0
                : Math.pow(2, significand >= 1.75 ? exponent + 1 : exponent);
        double scale = Math.max(rounded / Math.pow(2, maxExponent), 0x1p-127);
        double expected = type == FloatType.F16 && scale < 0x1p-24 ? 1 : scale;
        assertThat((double) E8M0.decode(MxScales.code(type, bits, maxExponent)))
            .as("%s 0x%04X", type, bits)
            .isEqualTo(expected);
        visited++;
      }
    }
    assertThat(visited).isEqualTo(2 * type.infinityBits());
  }

  @Test
  void zerosAndSubnormals() {
    assertThat(MxScales.code(FloatType.BF16, 0, 2)).isEqualTo((byte) 0);
    assertThat(MxScales.code(FloatType.F32, 1, 2)).isEqualTo((byte) 0);
    assertThat(MxScales.code(FloatType.F16, 0, 2)).isEqualTo((byte) 127);
    assertThat(MxScales.code(FloatType.F16, 1, 8)).isEqualTo((byte) 127);
  }
}
