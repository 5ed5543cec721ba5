package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Searches of every provider against the definition, for equality. */
@Tag("twin")
class RangeSearchTwinTest {
  private static final int[] SIZES = {
    1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 256, 1024, 1088, 2100, 17_000
  };

  private static List<CandidateFormat> formats() {
    List<CandidateFormat> formats =
        new ArrayList<>(
            List.of(
                CandidateFormat.E4M3,
                CandidateFormat.E2M1,
                CandidateFormat.MXFP4,
                CandidateFormat.MXFP8));
    for (int bits = 2; bits <= 8; bits++) {
      formats.add(CandidateFormat.integer(bits, true));
      formats.add(CandidateFormat.integer(bits, false));
    }
    return formats;
  }

  private static List<RangeSearch> searches(FloatType type, CandidateFormat format) {
    List<RangeSearch> searches =
        new ArrayList<>(
            List.of(
                RangeSearch.of(type, format, 0.2, 100, 2.4, 1),
                RangeSearch.of(type, format, 1, 16, 2, 1),
                RangeSearch.of(type, format, 0.5, 17, 3.3, 2.5)));
    if (type == FloatType.BF16 && (format.symmetric() || format.bits() % 4 == 0)) {
      searches.add(RangeSearch.exhaustive(type, format));
    }
    return searches;
  }

  @ParameterizedTest
  @EnumSource
  void rangesAndImprovements(Twin twin) {
    RangeSearchKernels kernels = twin.kernels().rangeSearch();
    RangeSearchKernels sparing = twin.kernels().sparing().rangeSearch();
    SplittableRandom random = new SplittableRandom(20);
    long blocks = 0;
    for (FloatType type : FloatType.values()) {
      for (CandidateFormat format : formats()) {
        for (RangeSearch search : searches(type, format)) {
          for (int n : SIZES) {
            if (n > 2100
                && (format.kind() == CandidateFormat.Kind.INTEGER) == (format.bits() < 8)) {
              continue; // two formats for the longest are enough
            }
            if (n > 256 && type != FloatType.BF16) {
              continue;
            }
            blocks += check(kernels, search, n, n > 256 ? 1 : 3, random);
            if (n == 16 || n == 128) {
              blocks += check(sparing, search, n, 1, random);
            }
          }
        }
      }
    }
    assertThat(blocks).isGreaterThan(7_000);
  }

  private static int check(
      RangeSearchKernels kernels, RangeSearch search, int n, int blocks, SplittableRandom random) {
    FloatType type = search.type();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate((long) blocks * n * type.bytes() + 6);
      fill(type, source, random);
      float[] min = new float[blocks + 2];
      float[] max = new float[blocks + 2];
      float[] lawMin = min.clone();
      float[] lawMax = max.clone();
      int steps = random.nextInt(search.steps() + 1);
      RangeSearchKernels law = Twin.LAW.rangeSearch();
      kernels.search(search, steps, source, 6, blocks, n, min, max, 1);
      law.search(search, steps, source, 6, blocks, n, lawMin, lawMax, 1);
      assertThat(Arrays.equals(min, lawMin) && Arrays.equals(max, lawMax))
          .as("%s %s %d of %d", type, search.format(), blocks, n)
          .isTrue();
      boolean[] improved = new boolean[search.steps()];
      boolean[] lawImproved = new boolean[search.steps()];
      kernels.markImprovements(search, source, 6, blocks, n, improved);
      law.markImprovements(search, source, 6, blocks, n, lawImproved);
      assertThat(improved).isEqualTo(lawImproved);
      return blocks;
    }
  }

  /** Weights of one magnitude or of many, nothing but zeros, subnormals, huge ones, NaN. */
  private static void fill(FloatType type, MemorySegment source, SplittableRandom random) {
    int kind = random.nextInt(12);
    double size = Math.scalb(1 + random.nextDouble(), random.nextInt(-30, 8));
    for (long at = 6; at + type.bytes() <= source.byteSize(); at += type.bytes()) {
      double gauss = random.nextGaussian() * size;
      float value =
          (float)
              switch (kind) {
                case 0 -> 0;
                case 1 -> Math.abs(gauss);
                case 2 -> random.nextInt(-3, 4) * type.decode(1);
                case 3 -> random.nextInt(20) == 0 ? 30 * gauss : gauss;
                case 4 -> random.nextInt(-15, 16) / 16.0;
                case 5 -> Math.scalb(random.nextDouble() - 0.5, random.nextInt(-20, 4));
                case 6 -> type == FloatType.F16 ? gauss : gauss * 0x1p110;
                default -> gauss;
              };
      type.store(source, at, value);
    }
    if (kind == 7) {
      long elements = (source.byteSize() - 6) / type.bytes();
      long at = 6 + random.nextLong(elements) * type.bytes();
      type.store(source, at, random.nextBoolean() ? Float.NaN : Float.NEGATIVE_INFINITY);
    }
  }
}
