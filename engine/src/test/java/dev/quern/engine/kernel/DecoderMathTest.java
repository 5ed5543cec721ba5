package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The laws of functions against binary64, at every 65,537th binary32 number. */
class DecoderMathTest {
  private static final int STEP = 65_537;

  private interface Function {
    double of(double x);
  }

  private interface Law {
    float of(float x);
  }

  /** The largest error in units in the last place, over the numbers of a range. */
  private static double worst(Law law, Function function, float low, float high, int expected) {
    double worst = 0;
    int visited = 0;
    for (long bits = 0; bits < 1L << 32; bits += STEP) {
      float x = Float.intBitsToFloat((int) bits);
      if (x >= low && x <= high) {
        double exact = function.of(x);
        double error = Math.abs(law.of(x) - exact) / Math.ulp((float) exact);
        worst = error <= worst ? worst : error;
        visited++;
      }
    }
    assertThat(visited).isEqualTo(expected);
    return worst;
  }

  @Test
  void exponentialIsWithinItsBound() {
    assertThat(worst(DecoderMath::exp, StrictMath::exp, -87, 88, 34_142)).isLessThan(1.1);
  }

  @Test
  void hyperbolicTangentIsWithinThreeUnits() {
    assertThat(worst(DecoderMath::tanh, StrictMath::tanh, -100, 100, 34_192)).isLessThan(3);
  }

  @Test
  void exponentialEndsInZeroAndInfinity() {
    assertThat(DecoderMath.exp(Float.NEGATIVE_INFINITY)).isEqualTo(0f);
    assertThat(DecoderMath.exp(-104.5f)).isEqualTo(0f);
    assertThat(DecoderMath.exp(-103)).isEqualTo((float) StrictMath.exp(-103));
    assertThat(DecoderMath.exp(0)).isEqualTo(1f);
    assertThat(DecoderMath.exp(-0f)).isEqualTo(1f);
    assertThat(DecoderMath.exp(89)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(DecoderMath.exp(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(DecoderMath.exp(Float.NaN)).isNaN();
  }

  @Test
  void gatesKnowTheirEnds() {
    assertThat(DecoderMath.tanh(Float.POSITIVE_INFINITY)).isEqualTo(1f);
    assertThat(DecoderMath.tanh(Float.NEGATIVE_INFINITY)).isEqualTo(-1f);
    assertThat(DecoderMath.tanh(Float.NaN)).isNaN();
    assertThat(DecoderMath.silu(-200)).isZero();
    assertThat(DecoderMath.silu(200)).isEqualTo(200f);
    assertThat(DecoderMath.sigmoid(-200)).isEqualTo(0f);
    assertThat(DecoderMath.sigmoid(0)).isEqualTo(0.5f);
    assertThat(DecoderMath.geluTanh(-20)).isZero();
    assertThat(DecoderMath.geluTanh(20)).isEqualTo(20f);
    // 0.5 * (1 + tanh(sqrt(2 / pi) * 1.044715)), in binary64
    assertThat((double) DecoderMath.geluTanh(1)).isBetween(0.8411919, 0.8411921);
  }
}
