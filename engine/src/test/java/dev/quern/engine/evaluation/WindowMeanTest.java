package dev.quern.engine.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class WindowMeanTest {
  /** Means 2 and 5 of windows: their standard deviation is 3 / sqrt(2), over sqrt(2) windows. */
  @Test
  void equalWindowsHaveTheErrorOfTheirMeans() {
    WindowMean mean = new WindowMean(2);
    mean.add(new double[] {1, 3});
    mean.add(new double[] {4, 6});

    assertThat(mean.tokens()).isEqualTo(4);
    assertThat(mean.mean()).isEqualTo(3.5);
    assertThat(mean.standardError().orElseThrow()).isCloseTo(1.5, within(1e-15));
  }

  /** Tokens alike within a window are not more evidence for being many. */
  @Test
  void repeatedTokensChangeNothing() {
    WindowMean once = new WindowMean(3);
    WindowMean often = new WindowMean(3);
    for (double value : new double[] {1, 2, 6}) {
      once.add(new double[] {value});
      often.add(new double[] {value, value, value, value});
    }
    assertThat(often.mean()).isEqualTo(once.mean());
    assertThat(often.standardError()).isEqualTo(once.standardError());
  }

  /** By hand: 12 / 4 = 3; sqrt(2 / 1 * ((4 - 3)^2 + (8 - 9)^2)) / 4 = 0.5. */
  @Test
  void unequalWindowsAreWeighedByTokens() {
    WindowMean mean = new WindowMean(2);
    mean.add(new double[] {4});
    mean.add(new double[] {1, 2, 5});

    assertThat(mean.mean()).isEqualTo(3);
    assertThat(mean.standardError().orElseThrow()).isCloseTo(0.5, within(1e-15));
  }

  @Test
  void oneWindowHasNoError() {
    WindowMean mean = new WindowMean(1);
    mean.add(new double[] {1, 2});
    assertThat(mean.standardError()).isEmpty();
  }
}
