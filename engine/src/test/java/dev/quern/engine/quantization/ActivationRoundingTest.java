package dev.quern.engine.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ActivationRounding.Element;
import dev.quern.engine.quantization.ActivationRounding.Scales;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationRoundingTest {
  private static ActivationRounding byRow(Element element) {
    return new ActivationRounding(
        element, element == Element.E2M1 ? 4 : 8, true, new Scales.OfRow());
  }

  private static float[] round(ActivationRounding rounding, float... values) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * values.length);
      for (int i = 0; i < values.length; i++) {
        FloatType.F32.store(x, 4L * i, values[i]);
      }
      rounding.round(Kernels.best(), x, 0, values.length, arena.allocate(values.length));
      float[] found = new float[values.length];
      for (int i = 0; i < found.length; i++) {
        found[i] = FloatType.F32.load(x, 4L * i);
      }
      return found;
    }
  }

  @ParameterizedTest
  @EnumSource(Element.class)
  void whatIsNotFiniteSpoilsItsRow(Element element) {
    assertThat(round(byRow(element), 1, Float.NaN, 2, 3)).containsOnly(Float.NaN);
    assertThat(round(byRow(element), 1, 2, Float.NEGATIVE_INFINITY, 3)).containsOnly(Float.NaN);
    assertThat(round(byRow(element).withRange(Float.NaN, 3), 1, Float.NaN)).containsOnly(Float.NaN);
  }

  /** 127.5 and not 127 is what the largest magnitude is divided by, so that it is cut. */
  @Test
  void valuesByHand() {
    assertThat(round(byRow(Element.INT), 127.5f, -127.5f, 2.5f, 0.4f))
        .containsExactly(127, -128, 2, 0);
    assertThat(round(byRow(Element.E4M3), 448, -17, 0.3f, 0)).containsExactly(448, -16, 0.3125f, 0);
    assertThat(round(byRow(Element.E2M1), 6, -2.4f, 5, 0.2f)).containsExactly(6, -2, 4, 0);
    ActivationRounding mx = new ActivationRounding(Element.E2M1, 4, true, new Scales.PowersOfTwo());
    float[] group = new float[32];
    group[0] = 7; // 1.75 * 2^2 counts as 2^3: the scale is 2
    group[1] = 1;
    assertThat(round(mx, group)).startsWith(8, 1, 0);
  }

  @Test
  void rowsMustFit() {
    ActivationRounding groups =
        new ActivationRounding(Element.E4M3, 8, true, new Scales.OfGroups(128));
    assertThat(groups.fits(256)).isTrue();
    assertThat(groups.fits(200)).isFalse();
    assertThat(byRow(Element.E2M1).fits(7)).isFalse();
    assertThatThrownBy(() -> round(groups, 1, 2)).isInstanceOf(IllegalArgumentException.class);
    ActivationRounding all = new ActivationRounding(Element.INT, 8, true, new Scales.OfAllRows());
    assertThatThrownBy(() -> round(all, 1, 2)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void contradictionsAreRefused() {
    Scales row = new Scales.OfRow();
    Scales given = new Scales.Given(List.of(1f), List.of());
    isRefused(Element.INT, 9, true, row);
    isRefused(Element.INT, 8, true, new Scales.TwoLevels(1));
    isRefused(Element.INT, 8, true, new Scales.PowersOfTwo());
    isRefused(Element.INT, 8, false, given);
    isRefused(Element.E4M3, 8, false, row);
    isRefused(Element.E2M1, 8, true, row);
    assertThatThrownBy(() -> new Scales.Given(List.of(1f, 2f), List.of(1f)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void isRefused(Element element, int bits, boolean symmetric, Scales scales) {
    assertThatThrownBy(() -> new ActivationRounding(element, bits, symmetric, scales))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
