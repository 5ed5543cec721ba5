package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.engine.kernel.ErrorSums;
import org.junit.jupiter.api.Test;

class ErrorStatisticsTest {
  private static ErrorStatistics of(
      double squaredError, double squaredOriginal, double absoluteError) {
    ErrorSums piece = new ErrorSums();
    piece.count = 10;
    piece.squaredError = squaredError;
    piece.squaredOriginal = squaredOriginal;
    piece.absoluteError = absoluteError;
    piece.absoluteOriginal = 100;
    ErrorStatistics.Sum half = new ErrorStatistics.Sum();
    half.add(piece, 0.03);
    ErrorStatistics.Sum both = new ErrorStatistics.Sum();
    both.add(half);
    both.add(half);
    return both.statistics();
  }

  @Test
  void addsPiecesUp() {
    ErrorStatistics statistics = of(1, 1000, 2);
    assertThat(statistics.elements()).isEqualTo(20);
    assertThat(statistics.meanRelativeError()).isEqualTo(0.02);
    assertThat(statistics.worstRelativeError()).isEqualTo(0.03);
    assertThat(statistics.signalToNoiseDb()).isCloseTo(30, within(1e-6));
  }

  @Test
  void isExactOnlyWithoutErrors() {
    assertThat(of(0, 1000, 0).signalToNoiseDb()).isInfinite();
  }

  @Test
  void doesNotKnowTheRatioOfSquaresThatLeftTheRange() {
    assertThat(of(0, 0, 1e-30).signalToNoiseDb()).isNaN();
    assertThat(of(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, 1e30).signalToNoiseDb())
        .isNaN();
  }
}
