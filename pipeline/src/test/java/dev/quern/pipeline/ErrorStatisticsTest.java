package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.pipeline.report.Deviation;
import java.util.SortedMap;
import java.util.TreeMap;
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
    Deviation row = ErrorStatistics.row(piece, 0.03);
    SortedMap<String, Deviation> modules = new TreeMap<>();
    modules.put("model.layers.0.self_attn.q_proj", row);
    modules.put("model.layers.1.self_attn.q_proj", row);
    return ErrorStatistics.byKind(modules).get("q_proj");
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
