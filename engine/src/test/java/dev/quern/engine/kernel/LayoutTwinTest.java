package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Moves of elements, with digits dealt at random. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class LayoutTwinTest {
  private static final int ROUNDS = 400;
  private static final int GAP = 3;

  @Parameter Twin twin;

  @Test
  void equalsTheLaw() {
    SplittableRandom random = new SplittableRandom(7);
    int moved = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int bits = 1 << random.nextInt(1, 7);
      int rowDigits = random.nextInt(7);
      int columnDigits = random.nextInt(7);
      int rowTiles = random.nextInt(1, 4);
      int columnTiles = random.nextInt(1, 200 >> columnDigits | 2);
      IndexStrides strides =
          dealt(rowDigits, columnDigits, rowTiles, columnTiles, round % 3, random);
      long paddedRows = (long) rowTiles << rowDigits;
      long paddedColumns = (long) columnTiles << columnDigits;
      boolean ragged = random.nextBoolean();
      long rows = ragged ? random.nextLong(1, paddedRows + 1) : paddedRows;
      long columns = ragged ? random.nextLong(1, paddedColumns + 1) : paddedColumns;
      check(bits, strides, rows, columns, paddedRows * paddedColumns, random);
      moved++;
    }
    assertThat(moved).isEqualTo(ROUNDS);
  }

  /** Marlin's, wide enough for every loop, and in parts as threads take them. */
  @Test
  void partsMakeTheWhole() {
    SplittableRandom random = new SplittableRandom(8);
    long rows = 192;
    long columns = 1040;
    IndexStrides strides =
        new IndexStrides(
            new long[] {128, 256, 512, 2, 8, 16}, 1024, new long[] {4, 32, 64, 1}, 3 * 1024);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(rows * columns / 2, 64);
      Inputs.anyBits(source, 0, random);
      MemorySegment expected = arena.allocate(source.byteSize(), 64);
      Twin.LAW.layouts().scatter(4, source, 0, 520, 0, rows, columns, strides, expected, 0);
      MemorySegment found = arena.allocate(source.byteSize(), 64);
      MemorySegment back = arena.allocate(source.byteSize(), 64);
      LayoutKernels kernels = twin.kernels().layouts();
      for (long row = 0; row < rows; row += 64) {
        kernels.scatter(4, source, row * 520, 520, row, 64, columns, strides, found, 0);
      }
      assertThat(found.mismatch(expected)).isEqualTo(-1);
      for (long row = 0; row < rows; row += 64) {
        kernels.gather(4, expected, 0, strides, row, 64, columns, back, row * 520, 520);
      }
      assertThat(back.mismatch(source)).isEqualTo(-1);
    }
  }

  private void check(
      int bits,
      IndexStrides strides,
      long rows,
      long columns,
      long positions,
      SplittableRandom random) {
    long used = Math.ceilDiv(columns * bits, 8);
    long rowBytes = used + random.nextInt(4);
    String call = bits + " bits, " + rows + " x " + columns + ", " + strides;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(rows * rowBytes + GAP);
      Inputs.anyBits(source, 0, random);
      long bytes = Math.ceilDiv(positions * bits, 8);
      MemorySegment packed = arena.allocate(bytes + GAP + 8);
      Inputs.anyBits(packed, 0, random);
      MemorySegment expected = arena.allocate(packed.byteSize()).copyFrom(packed);
      Twin.LAW
          .layouts()
          .scatter(bits, source, GAP, rowBytes, 0, rows, columns, strides, expected, GAP);
      LayoutKernels kernels = twin.kernels().layouts();
      kernels.scatter(bits, source, GAP, rowBytes, 0, rows, columns, strides, packed, GAP);
      assertThat(packed.mismatch(expected)).as(call).isEqualTo(-1);

      MemorySegment back = arena.allocate(source.byteSize());
      Inputs.anyBits(back, 0, random);
      MemorySegment expectedBack = arena.allocate(source.byteSize()).copyFrom(back);
      Twin.LAW
          .layouts()
          .gather(bits, packed, GAP, strides, 0, rows, columns, expectedBack, GAP, rowBytes);
      kernels.gather(bits, packed, GAP, strides, 0, rows, columns, back, GAP, rowBytes);
      assertThat(back.mismatch(expectedBack)).as(call).isEqualTo(-1);
    }
  }

  /**
   * Strides that fill the tensor without gaps: digits in random order, all inside a tile, or with
   * the lowest digits of the column kept together, or with the tiles' own strides in between.
   */
  private static IndexStrides dealt(
      int rowDigits,
      int columnDigits,
      int rowTiles,
      int columnTiles,
      int kind,
      SplittableRandom random) {
    List<Integer> digits = new ArrayList<>();
    for (int i = 0; i < rowDigits; i++) {
      digits.add(-1 - i);
    }
    for (int i = 0; i < columnDigits; i++) {
      digits.add(i);
    }
    int kept = kind == 1 ? random.nextInt(columnDigits + 1) : 0;
    digits.removeIf(digit -> digit >= 0 && digit < kept);
    Collections.shuffle(digits, new Random(random.nextLong()));
    for (int i = 0; i < kept; i++) {
      digits.add(i, i);
    }
    // Where the two outer strides stand among the digits; both behind them in most cases.
    int tilesAt = kind == 2 ? random.nextInt(digits.size() + 1) : digits.size();
    long[] rows = new long[rowDigits];
    long[] columns = new long[columnDigits];
    long stride = 1;
    long rowTile = 0;
    long columnTile = 0;
    for (int i = 0; i <= digits.size(); i++) {
      if (i == tilesAt) {
        boolean rowsFirst = random.nextBoolean();
        rowTile = rowsFirst ? stride : stride * columnTiles;
        columnTile = rowsFirst ? stride * rowTiles : stride;
        stride *= (long) rowTiles * columnTiles;
      }
      if (i < digits.size()) {
        int digit = digits.get(i);
        if (digit < 0) {
          rows[-1 - digit] = stride;
        } else {
          columns[digit] = stride;
        }
        stride *= 2;
      }
    }
    return new IndexStrides(rows, rowTile, columns, columnTile);
  }
}
