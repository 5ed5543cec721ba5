package dev.quern.engine.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.kernel.ScalarRangeSearch;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Lower bounds of errors against the errors of the definition, for every step of a block. */
@Tag("twin")
class SearchFloorsTest {
  private static final FloatType BF16 = FloatType.BF16;

  private static List<RangeSearch> searches() {
    return List.of(
        RangeSearch.of(BF16, CandidateFormat.integer(4, true), 0.2, 100, 2.4, 1),
        RangeSearch.of(BF16, CandidateFormat.integer(8, true), 0.2, 100, 3, 1),
        RangeSearch.of(BF16, CandidateFormat.integer(2, true), 1, 40, 0.5, 1),
        RangeSearch.of(BF16, CandidateFormat.E4M3, 0.2, 100, 2.4, 1),
        RangeSearch.of(BF16, CandidateFormat.E2M1, 1 - 0.8 / 1.8, 200, 2.4, 1.8),
        RangeSearch.exhaustive(BF16, CandidateFormat.integer(4, true)),
        RangeSearch.exhaustive(BF16, CandidateFormat.E4M3));
  }

  @Test
  void noErrorIsBelowItsBound() {
    Assumptions.assumeTrue(Shapes.F.length() >= 8, "vectors of 256 bits or more");
    SplittableRandom random = new SplittableRandom(77);
    long steps = 0;
    long close = 0;
    for (RangeSearch search : searches()) {
      for (int n : new int[] {16, 40, 128, 300}) {
        for (int kind = 0; kind < 8; kind++) {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(2L * n);
            float largest = fill(block, n, kind, random);
            int bits = BF16.encode(largest);
            SearchFloors floors = SearchFloors.of(search, n);
            ErrorFloors table = floors.table(bits & 127);
            double worth = floors.worth(table, bits);
            assertThat(worth).isPositive();
            FloorSums sums = new FloorSums();
            sums.reserve(n);
            sums.begin(table, ErrorFloors.hasTail(search), search.steps());
            sums.locate(table, block, 0, n, bits);
            sums.add(table, n);
            int last = table.scales().length - 1;
            float begin = search.begin(largest);
            for (int step = 0; step < search.steps(); step++) {
              float range = search.shrink(begin, step);
              double error = ScalarRangeSearch.error(search, -range, range, block, 0, n);
              int column = Math.min(step, last);
              if (!sums.isIdle(column)) {
                double bound = sums.sum(column) * worth;
                assertThat(floors.reaches(error))
                    .as("%s, %d weights of kind %d, step %d", search.format(), n, kind, step)
                    .isGreaterThanOrEqualTo(bound);
                steps++;
                close += bound > 0.9 * error ? 1 : 0;
              }
            }
          }
        }
      }
    }
    assertThat(steps).isGreaterThan(15_000);
    assertThat(close).as("bounds within a tenth").isGreaterThan(steps / 5);
  }

  /** Returns the largest magnitude. */
  private static float fill(MemorySegment block, int n, int kind, SplittableRandom random) {
    double size = Math.scalb(1 + random.nextDouble(), kind == 1 ? 40 : kind == 2 ? -10 : -5);
    float largest = 0;
    for (int i = 0; i < n; i++) {
      double gauss = random.nextGaussian() * size;
      double value =
          switch (kind) {
            case 3 -> size; // all equal
            case 4 -> -size;
            case 5 -> i == n / 2 ? size : 0;
            case 6 -> random.nextInt(-15, 16) * size / 16; // ties
            case 7 -> Math.scalb(random.nextDouble() - 0.5, random.nextInt(-30, 1)) * size;
            default -> gauss;
          };
      BF16.store(block, 2L * i, (float) value);
      largest = Math.max(largest, Math.abs(BF16.load(block, 2L * i)));
    }
    return largest;
  }
}
