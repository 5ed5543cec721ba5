package dev.quern.formats.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Places of single elements, found by running the index arithmetic of the kernels' own packers, and
 * words that those packers wrote.
 */
class LayoutGoldenTest {
  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Columns: k, n, then word and field of each layout, N = 128. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 0, 0, 0, 0, 0",
    "1, 0, 0, 4, 0, 2, 0, 2",
    "0, 1, 16, 0, 32, 0, 16, 0",
    "8, 0, 0, 1, 0, 1, 8, 0",
    "0, 8, 0, 2, 1, 0, 1, 0",
    "17, 70, 480, 4, 960, 2, 352, 3",
    "63, 127, 1023, 7, 2047, 3, 1023, 7",
    "37, 101, 730, 4, 1460, 2, 980, 2"
  })
  void marlinWeights(int k, int n, int word4, int p4, int word8, int p8, int wordA8, int pA8) {
    assertThat(bit(MarlinLayouts.WEIGHT_4, k, n)).isEqualTo(word4 * 32L + 4 * p4);
    assertThat(bit(MarlinLayouts.WEIGHT_8, k, n)).isEqualTo(word8 * 32L + 8 * p8);
    assertThat(bit(MarlinLayouts.WEIGHT_4_A8, k, n)).isEqualTo(wordA8 * 32L + 4 * pA8);
    assertThat(bit(MarlinLayouts.WEIGHT_4_F8, k, n)).isEqualTo(wordA8 * 32L + 4 * pA8);
  }

  /** Codes 1 to 8 at the eight places of word 0. */
  @Test
  void marlinWord() {
    byte[] codes = new byte[64 * 8];
    int[][] places = {{0, 0}, {8, 0}, {0, 8}, {8, 8}, {1, 0}, {9, 0}, {1, 8}, {9, 8}};
    for (int i = 0; i < 8; i++) {
      int k = places[i][0];
      codes[places[i][1] * 8 + k / 2] |= (byte) (i + 1 << k % 2 * 4);
    }
    Layout layout = MarlinLayouts.WEIGHT_4;
    PackedShape shape = layout.shape(64, 16);
    MemorySegment packed = MemorySegment.ofArray(new byte[(int) shape.bytes()]);
    layout.pack(shape, MemorySegment.ofArray(codes), 8, packed);
    assertThat(packed.get(WORD, 0)).isEqualTo(0x87654321);
  }

  private static long bit(Layout layout, int k, int n) {
    return layout.bit(layout.shape(128, 64), n, k, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "1, 0, 1",
    "0, 1, 256",
    "8, 0, 2",
    "0, 8, 4",
    "17, 70, 5697",
    "63, 127, 8191",
    "37, 101, 7585"
  })
  void allSparkWeights(int k, int n, int at) {
    assertThat(bit(AllSparkLayouts.WEIGHT, k, n)).isEqualTo(at * 8L);
  }

  @Test
  void marlinScales() {
    for (int c = 0; c < 8; c++) {
      assertThat(place(MarlinLayouts.SCALES_GROUP, c)).isEqualTo(8 * c);
    }
    int[][] channel = {{0, 0}, {1, 1}, {2, 8}, {8, 2}, {9, 3}, {31, 31}};
    for (int[] golden : channel) {
      assertThat(place(MarlinLayouts.SCALES_CHANNEL, golden[0])).isEqualTo(golden[1]);
    }
  }

  @Test
  void marlinZeroPoints() {
    assertThat(place(MarlinLayouts.ZEROS_4, 1)).isEqualTo(8);
    assertThat(place(MarlinLayouts.ZEROS_4, 8)).isEqualTo(4);
  }

  /** Which of its elements a row of one group begins with, in the packed tensor. */
  private static long place(Layout layout, int c) {
    return layout.bit(layout.shape(64, 1), c, 0, 0) / layout.bits();
  }

  @Test
  void exllamaWord() {
    assertThat(packedWord(GptqLayouts.EXLLAMA_4, 0x76543210)).isEqualTo(0x75316420);
    assertThat(packedWord(GptqLayouts.WEIGHT_4, 0x76543210)).isEqualTo(0x76543210);
  }

  /** Eight inputs of one output, packed. */
  private static int packedWord(Layout layout, int word) {
    MemorySegment row = MemorySegment.ofArray(new byte[4]);
    row.set(WORD, 0, word);
    MemorySegment packed = MemorySegment.ofArray(new byte[4]);
    layout.pack(layout.shape(1, 8), row, 4, packed);
    return packed.get(WORD, 0);
  }

  /** Eight outputs of one input: nibble p holds output O[p]. */
  @Test
  void awqWord() {
    MemorySegment rows = MemorySegment.ofArray(new byte[] {0, 1, 2, 3, 4, 5, 6, 7});
    MemorySegment packed = MemorySegment.ofArray(new byte[4]);
    GptqLayouts.AWQ.pack(GptqLayouts.AWQ.shape(8, 1), rows, 1, packed);
    assertThat(packed.get(WORD, 0)).isEqualTo(0x75316420);
    GptqLayouts.TRITON.pack(GptqLayouts.TRITON.shape(8, 1), rows, 1, packed);
    assertThat(packed.get(WORD, 0)).isEqualTo(0x76543210);
  }

  /** A symmetric checkpoint stores 8 as 7, and 128 as 127. */
  @Test
  void gptqZeros() {
    assertThat(packedZeros(GptqLayouts.ZEROS_V1_4, 8, 8)).isEqualTo(0x77777777);
    assertThat(packedZeros(GptqLayouts.ZEROS_V2_4, 8, 8)).isEqualTo(0x88888888);
    assertThat(packedZeros(GptqLayouts.ZEROS_V1_8, 4, 128)).isEqualTo(0x7F7F7F7F);
    assertThat(packedZeros(GptqLayouts.ZEROS_V2_8, 4, 128)).isEqualTo(0x80808080);
    assertThat(packedZeros(GptqLayouts.ZEROS_V1_2, 16, 2)).isEqualTo(0x55555555);
    // Less one of zero stays in its field.
    assertThat(packedZeros(GptqLayouts.ZEROS_V1_4, 8, 0)).isEqualTo(0xFFFFFFFF);
  }

  private static int packedZeros(Layout layout, int n, int zero) {
    byte[] rows = new byte[n];
    Arrays.fill(rows, (byte) zero);
    MemorySegment packed = MemorySegment.ofArray(new byte[4]);
    layout.pack(layout.shape(n, 1), MemorySegment.ofArray(rows), 1, packed);
    return packed.get(WORD, 0);
  }

  /**
   * 32 codes of 3 bits, 0 to 7 four times: word 0 has ten and the low 2 bits of the eleventh, word
   * 1 its high bit, ten more and the low bit of the next, word 2 the rest.
   */
  @Test
  void gptqWith3Bits() {
    Layout layout = GptqLayouts.WEIGHT_3;
    PackedShape shape = layout.shape(1, 32);
    assertThat(layout.bit(shape, 0, 9, 2)).isEqualTo(29);
    assertThat(layout.bit(shape, 0, 10, 1)).isEqualTo(31);
    assertThat(layout.bit(shape, 0, 10, 2)).isEqualTo(32);
    assertThat(layout.bit(shape, 0, 11, 0)).isEqualTo(33);
    assertThat(layout.bit(shape, 0, 21, 0)).isEqualTo(63);
    assertThat(layout.bit(shape, 0, 21, 1)).isEqualTo(64);
    assertThat(layout.bit(shape, 0, 22, 0)).isEqualTo(66);
    assertThat(layout.bit(shape, 0, 31, 2)).isEqualTo(95);
    // With more outputs, a word of the same number is in another row of the tensor.
    assertThat(layout.bit(layout.shape(7, 32), 5, 21, 1)).isEqualTo((2 * 7 + 5) * 32);
  }

  @Test
  void codesForFp8Activations() {
    Layout layout = MarlinLayouts.WEIGHT_4_F8;
    assertThat(layout.encode(8)).isEqualTo(0);
    assertThat(layout.encode(15)).isEqualTo(7);
    assertThat(layout.encode(7)).isEqualTo(8);
    assertThat(layout.encode(0)).isEqualTo(15);
  }
}
