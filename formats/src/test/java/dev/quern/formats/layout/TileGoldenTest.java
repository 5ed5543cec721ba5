package dev.quern.formats.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.numeric.Fp8E4M3Fnuz;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Places of single elements, found by running the index arithmetic of the kernels' own packers. */
class TileGoldenTest {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Columns: k, n; then elements of Marlin-24 as word and field, of Machete, of CUTLASS. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 0, 0, 0, 0",
    "1, 0, 0, 4, 4, 1, 1",
    "0, 1, 1, 0, 128, 128, 64",
    "8, 0, 0, 1, 2, 4, 32",
    "0, 8, 16, 0, 1, 2, 4",
    "17, 70, 386, 6, 4876, 4873, 2441",
    "63, 127, 1023, 7, 8191, 8191, 8191",
    "37, 101, 713, 6, 6868, 6865, 7505"
  })
  void weightsOfNvidia(int k, int n, int word, int field, int machete4, int machete8, int cutlass) {
    assertThat(element(Marlin24Layouts.WEIGHT_4, n, k)).isEqualTo(word * 8L + field);
    assertThat(element(MacheteLayouts.WEIGHT_4, n, k)).isEqualTo(machete4);
    assertThat(element(MacheteLayouts.WEIGHT_8, n, k)).isEqualTo(machete8);
    assertThat(element(CutlassW4A8Scales.WEIGHT, n, k)).isEqualTo(cutlass);
  }

  /** Columns: k, n; then elements for AMD, and bytes of metadata for Hopper. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 0, 0, 0",
    "1, 0, 1, 1, 0, 0",
    "0, 1, 16, 8, 16, 8",
    "8, 0, 8, 128, 1, 1",
    "0, 8, 128, 64, 128, 2",
    "17, 70, 4449, 4401, 1122, 624",
    "63, 127, 8191, 8191, 2039, 1023",
    "37, 101, 6741, 6701, 1620, 812"
  })
  void weightsOfAmdAndMetadataOfHopper(int k, int n, int fp8, int bf16, int meta8, int meta16) {
    assertThat(element(AiterLayouts.FP8, n, k)).isEqualTo(fp8);
    assertThat(element(AiterLayouts.BF16, n, k)).isEqualTo(bf16);
    assertThat(metaByte(SparseLayouts.SM90_8, n, k)).isEqualTo(meta8);
    assertThat(metaByte(SparseLayouts.SM90_16, n, k)).isEqualTo(meta16);
  }

  private static long element(Layout layout, int n, int k) {
    return layout.bit(layout.shape(128, 64), n, k, 0) / layout.bits();
  }

  private static long metaByte(Layout layout, int m, int k) {
    return layout.bit(layout.shape(128, 16), m, k / 4, 0) / 8;
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "1, 0, 16",
    "31, 0, 496",
    "32, 0, 4",
    "127, 3, 511",
    "128, 0, 1024",
    "0, 4, 512",
    "130, 5, 1569",
    "255, 7, 2047"
  })
  void blockScales(int m, int j, int at) {
    Layout layout = BlockScaleLayouts.SF_128X4;
    assertThat(layout.bit(layout.shape(256, 8), m, j, 0)).isEqualTo(at * 8L);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 0",
    "1, 0, 8, 4",
    "2, 0, 16, 8",
    "8, 0, 1, 1",
    "9, 1, 11, 7",
    "0, 1, 2, 2",
    "31, 3, 191, 191",
    "32, 2, 192, 192",
    "63, 3, 255, 255"
  })
  void metadataOfAmpere(int row, int column, int at16, int at8) {
    Layout sixteen = SparseLayouts.SM80_16;
    Layout eight = SparseLayouts.SM80_8;
    assertThat(sixteen.bit(sixteen.shape(64, 4), row, column, 0)).isEqualTo(at16 * 16L);
    assertThat(eight.bit(eight.shape(64, 4), row, column, 0)).isEqualTo(at8 * 32L);
  }

  /** The published tables of rows: where each row of a block comes from. */
  @Test
  void shuffledRows() {
    int[] from128 = {
      0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29,
      2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31
    };
    int[] from64 = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15};
    for (int at = 0; at < 64; at++) {
      assertThat(TrtllmLayouts.shuffled128(at / 32 * 32 + from128[at % 32])).isEqualTo(at);
      assertThat(TrtllmLayouts.shuffled64(at / 16 * 16 + from64[at % 16])).isEqualTo(at);
    }
  }

  /** Rows 0, 64, 1, 65 ... of 128 become neighbours, and are shuffled then. */
  @Test
  void gatedRows() {
    Layout layout = TrtllmLayouts.GATED_128;
    PackedShape shape = layout.shape(128, 4);
    for (int row = 0; row < 128; row++) {
      long inTurn = row < 64 ? 2 * row : 2 * (row - 64) + 1;
      assertThat(layout.bit(shape, row, 3, 0))
          .isEqualTo((TrtllmLayouts.shuffled128(inTurn) * 4 + 3) * 8);
    }
  }

  /** Signed weights -8 to 7; the stored nibble's lower bits choose a product, as vLLM's table. */
  @Test
  void codesOfCutlass() {
    int[] stored = new int[16];
    for (int code = 0; code < 16; code++) {
      stored[code] = (int) CutlassW4A8Scales.WEIGHT.encode(code);
    }
    assertThat(stored).containsExactly(8, 9, 10, 11, 12, 13, 14, 15, 0, 7, 6, 5, 4, 3, 2, 1);
  }

  @Test
  void scalesOfCutlass() {
    // Two outputs of two groups. The largest scale of a row becomes 448 * c.
    float[] scales = {0.5f, 0.25f, 1.75f, 0.01f};
    MemorySegment products = MemorySegment.ofArray(new byte[4 * 8]);
    MemorySegment channels = MemorySegment.ofArray(new byte[2 * 4]);
    CutlassW4A8Scales.pack(scales, 2, products, channels);
    assertThat(channels.get(FLOAT, 0)).isEqualTo(8 * (0.5f / 448));
    assertThat(channels.get(FLOAT, 4)).isEqualTo(8 * (1.75f / 448));
    // Group 0 of both outputs, then group 1. 448 / 8 = 56; 224 / 8 = 28; 2.5 / 8 = 0.3125.
    float[] s8 = {56, 56, 28, 0.3125f};
    for (int at = 0; at < 4; at++) {
      for (int v = -8; v < 0; v++) {
        byte expected = Fp8E4M3.encode(s8[at] * v);
        assertThat(products.get(ValueLayout.JAVA_BYTE, 8L * at + v + 8)).isEqualTo(expected);
      }
    }
    byte[] ofTheLargest = products.asSlice(0, 8).toArray(ValueLayout.JAVA_BYTE);
    assertThat(HexFormat.of().withUpperCase().formatHex(ofTheLargest))
        .isEqualTo("FEFCFAF9F6F2EEE6");
    assertThatThrownBy(() -> CutlassW4A8Scales.pack(scales, 3, products, channels))
        .hasMessageContaining("4 scales do not make 3 rows");
    assertThatThrownBy(() -> CutlassW4A8Scales.pack(scales, 2, products, channels.asSlice(1)))
        .hasMessageContaining("7");
  }

  @Test
  void exponentsOfScales() {
    assertThat(DeepGemmLayouts.exponent(1)).isEqualTo((byte) 127);
    assertThat(DeepGemmLayouts.exponent(0x1p-126f)).isEqualTo((byte) 1);
    assertThat(DeepGemmLayouts.exponent(0x1p127f)).isEqualTo((byte) 254);
    for (float wrong : new float[] {0, -1, 1.5f, 0x1p-127f, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> DeepGemmLayouts.exponent(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("power of two");
    }
  }

  /** All codes: the value halves, but for NaN, which is refused. */
  @Test
  void codesOfFnuz() {
    for (int code = 0; code < 256; code++) {
      MemorySegment one = MemorySegment.ofArray(new byte[] {(byte) code});
      float value = Fp8E4M3.decode((byte) code);
      if (Float.isNaN(value)) {
        assertThatThrownBy(() -> FnuzCodes.convert(one, one)).hasMessageContaining("NaN");
      } else {
        FnuzCodes.convert(one, one);
        float fnuz = Fp8E4M3Fnuz.decode(one.get(ValueLayout.JAVA_BYTE, 0));
        assertThat(FnuzCodes.scale(0.75f) * fnuz).isEqualTo(0.75f * value + 0f);
      }
    }
  }

  @Test
  void opaqueOnesSayWhy() {
    assertThat(OpaqueLayout.ALL).extracting(OpaqueLayout::name).doesNotHaveDuplicates();
    assertThat(OpaqueLayout.ALL).allMatch(opaque -> opaque.reason().length() > 20);
  }
}
