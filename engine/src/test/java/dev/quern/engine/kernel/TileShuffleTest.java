package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which maps eight vectors can make: the layouts that shall be fast are among them. */
class TileShuffleTest {
  private static final IndexStrides MARLIN_4 =
      new IndexStrides(new long[] {128, 256, 512, 2, 8, 16}, 1024, new long[] {4, 32, 64, 1}, 2048);
  private static final IndexStrides MARLIN_8 =
      new IndexStrides(new long[] {128, 256, 512, 4, 8, 16}, 1024, new long[] {2, 32, 64, 1}, 2048);

  @Test
  void marlinsTilesAreAmongThem() {
    for (int width : new int[] {32, 64}) {
      TileShuffle four = TileShuffle.of(4, MARLIN_4, width);
      assertThat(four.rowDigits()).containsExactlyInAnyOrder(3, 4, 5);
      // Input 0 and input 3 change places: seven nibbles apart.
      assertThat(four.nibbleShift()).isEqualTo(28);
      assertThat(four.nibbleMask()).isEqualTo(0xF0F0F0F0L);
      // As many tiles of 16 inputs as a vector covers, 2048 codes apart.
      assertThat(four.columnStep()).isEqualTo(width / 8 * 1024L);
      assertThat(TileShuffle.of(8, MARLIN_8, width)).isNotNull();
    }
  }

  @Test
  void othersAreNot() {
    // Words of eight outputs: a nibble's neighbour is another row's.
    IndexStrides awq = new IndexStrides(new long[] {4, 1, 2}, 8, new long[0], 4096);
    assertThat(TileShuffle.of(4, awq, 64)).isNull();
    // Fewer than three digits of the row, and elements of three bits.
    assertThat(TileShuffle.of(8, new IndexStrides(new long[0], 4, new long[] {1, 2}, 64), 64))
        .isNull();
    assertThat(TileShuffle.of(2, MARLIN_4, 64)).isNull();
  }
}
