package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableTextTest {
  private static final List<Leg> LEGS = Leg.of(512, true, List.of(2));
  private static final Row COPY = Row.copy(FloatType.BF16, 1024);
  private static final Row CHANNEL = Row.channel(FloatType.BF16, 1024);

  private static Measurements threeRounds() {
    Measurements measurements = new Measurements();
    double[] copies = {20, 10, 16};
    for (int round = 0; round < 3; round++) {
      for (Leg leg : LEGS) {
        double part = leg.vectorBits() / 512.0;
        double copy = copies[round];
        measurements.add(COPY, leg, new Measurements.Sample(round, copy, copy));
        measurements.add(CHANNEL, leg, new Measurements.Sample(round, 8 * part, copy));
        measurements.add(
            Row.inCache(FloatType.BF16), leg, new Measurements.Sample(round, 24 * part, copy));
      }
    }
    return measurements;
  }

  @Test
  void showsBestRateWithMedianAndRangeOfShares() {
    assertThat(
            new TableText(threeRounds(), LEGS)
                .table()
                .lines()
                .map(line -> line.replaceAll(" +", " ")))
        .containsExactly(
            "| GB/s of weights (share of copy) | AVX-512, 2 threads | AVX2, 2 threads"
                + " | AVX2 / AVX-512, 2 threads |",
            "|---------------------------------|--------------------------:|--------------------------:|--------------------------:|",
            "| copy bf16 | 20.0 (10.0 at worst) | 20.0 (10.0 at worst) | 1.00, 1.00 to 1.00 |",
            "| quantizeChannel bf16 | 8.00 (0.50, 0.40 to 0.80) | 4.00 (0.25, 0.20 to 0.40)"
                + " | 0.50, 0.50 to 0.50 |",
            "| quantizeChannel bf16, in cache | 24.0 (1.50, 1.20 to 2.40)"
                + " | 12.0 (0.75, 0.60 to 1.20) | 0.50, 0.50 to 0.50 |");
  }

  @Test
  void namesTheLimitThatBinds() {
    assertThat(new TableText(threeRounds(), LEGS).limits().lines())
        .containsExactly(
            "quantizeChannel bf16, AVX-512, 2 threads: computing alone runs at 24.0 GB/s, copying"
                + " alone at 16.0; so memory binds, and 0.50 of that limit is reached.",
            "quantizeChannel bf16, AVX2, 2 threads: computing alone runs at 12.0 GB/s, copying"
                + " alone at 16.0; so computing binds, and 0.33 of that limit is reached.");
  }

  @Test
  void saysNothingOfLimitsThatWereNotMeasured() {
    Measurements measurements = new Measurements();
    measurements.add(CHANNEL, LEGS.getFirst(), new Measurements.Sample(0, 8, 16));
    assertThat(new TableText(measurements, LEGS).limits()).isEmpty();
  }

  @Test
  void machinesWithoutAvx512HaveOneSet() {
    assertThat(Leg.of(256, true, List.of(1, 2)).stream().map(Leg::title))
        .containsExactly("AVX2, 1 thread", "AVX2, 2 threads");
    assertThat(Leg.of(128, false, List.of(1)).stream().map(Leg::title))
        .containsExactly("128-bit vectors, 1 thread");
    assertThat(Leg.of(0, true, List.of(1)).stream().map(Leg::title))
        .containsExactly("scalar, 1 thread");
    assertThat(LEGS.getLast().jvmArgs()).containsExactly("-XX:UseAVX=2");
  }

  @Test
  void everyLabelOfATypeDiffers() {
    for (FloatType type : FloatType.values()) {
      assertThat(Row.kernels(type, 1024).stream().map(Row::label)).doesNotHaveDuplicates();
    }
  }
}
