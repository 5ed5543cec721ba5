package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Golden;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ranges that the reference's own search found, and the step at which it stopped, for every format,
 * strategy and type and for many settings: {@code golden/observers.txt} lists them.
 */
class RangeSearchGoldenTest {
  private static Golden golden;

  /** One search of the reference; columns as in the file. */
  record Search(
      String name,
      String weight,
      CandidateFormat format,
      String strategy,
      int blockRows,
      int blockCols,
      double maxshrink,
      int patience,
      double grid,
      double norm,
      double expand,
      int steps) {
    static Search parse(String line) {
      String[] c = line.split(" ");
      return new Search(
          c[0],
          c[1],
          format(c[2]),
          c[3],
          Integer.parseInt(c[4]),
          Integer.parseInt(c[5]),
          Double.parseDouble(c[6]),
          Integer.parseInt(c[7]),
          Double.parseDouble(c[8]),
          Double.parseDouble(c[9]),
          Double.parseDouble(c[10]),
          Integer.parseInt(c[11]));
    }

    private static CandidateFormat format(String name) {
      return switch (name) {
        case "E4M3" -> CandidateFormat.E4M3;
        case "E2M1" -> CandidateFormat.E2M1;
        case "MXFP4" -> CandidateFormat.MXFP4;
        case "MXFP8" -> CandidateFormat.MXFP8;
        default -> CandidateFormat.integer(name.charAt(3) - '0', !name.endsWith("ASYM"));
      };
    }

    FloatType type() {
      return FloatType.valueOf(name.substring(0, name.indexOf('.')));
    }

    RangeSearch search() {
      return RangeSearch.of(type(), format, maxshrink, grid, norm, expand);
    }

    @Override
    public String toString() {
      return name + " " + format + " " + strategy + " " + blockCols;
    }
  }

  static List<Search> searches() throws IOException {
    return Files.readAllLines(TestData.path("golden/observers.txt")).stream()
        .filter(line -> !line.startsWith("#"))
        .map(Search::parse)
        .toList();
  }

  @BeforeAll
  static void read() throws IOException {
    golden = Golden.read("golden/observers.safetensors");
  }

  @Test
  void allSearchesAreRead() throws IOException {
    assertThat(searches()).hasSize(186);
  }

  @ParameterizedTest
  @MethodSource("searches")
  void rangesAndStopAreTheReferences(Search golden) {
    check(new ScalarRangeSearch(), golden);
  }

  @ParameterizedTest
  @MethodSource("searches")
  @Tag("twin")
  void vectorsFindTheSame(Search golden) {
    check(Twin.VECTOR.kernels().rangeSearch(), golden);
  }

  private static void check(RangeSearchKernels kernels, Search golden) {
    try (Arena arena = Arena.ofConfined()) {
      Blocks blocks = blocks(golden, arena);
      RangeSearch search = golden.search();
      boolean[] improved = new boolean[search.steps()];
      kernels.markImprovements(search, blocks.memory, 0, blocks.count, blocks.size, improved);
      int steps = Patience.steps(improved, golden.patience());
      assertThat(steps).as("steps").isEqualTo(golden.steps());
      float[] min = new float[blocks.count];
      float[] max = new float[blocks.count];
      kernels.search(search, steps, blocks.memory, 0, blocks.count, blocks.size, min, max, 0);
      assertThat(bits(golden.type(), min)).as("min").isEqualTo(expected(golden, ".min"));
      assertThat(bits(golden.type(), max)).as("max").isEqualTo(expected(golden, ".max"));
    }
  }

  private static int[] expected(Search search, String end) {
    int[] bits = golden.bits(search.name() + end, search.type().name());
    for (int i = 0; i < bits.length; i++) { // zeros have no sign that counts
      bits[i] = search.type().decode(bits[i]) == 0 ? 0 : bits[i];
    }
    return bits;
  }

  private static int[] bits(FloatType type, float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = values[i] == 0 ? 0 : type.encode(values[i]);
    }
    return bits;
  }

  private record Blocks(MemorySegment memory, int count, int size) {}

  private static Blocks blocks(Search search, Arena arena) {
    FloatType type = search.type();
    int[] weights = golden.bits(search.weight(), type.name());
    int cols = 256;
    int rows = weights.length / cols;
    int blockRows =
        switch (search.strategy().toLowerCase(Locale.ROOT)) {
          case "tensor" -> rows;
          case "channel" -> 1;
          default -> search.blockRows();
        };
    int blockCols = search.blockCols() == 0 ? cols : search.blockCols();
    int gridRows = Math.ceilDiv(rows, blockRows);
    int gridCols = Math.ceilDiv(cols, blockCols);
    int size = blockRows * blockCols;
    int count = gridRows * gridCols;
    MemorySegment memory = arena.allocate((long) count * size * type.bytes());
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        long block = (long) (row / blockRows) * gridCols + col / blockCols;
        long at = block * size + (long) (row % blockRows) * blockCols + col % blockCols;
        Inputs.putBits(type, memory, at * type.bytes(), weights[row * cols + col]);
      }
    }
    return new Blocks(memory, count, size);
  }
}
