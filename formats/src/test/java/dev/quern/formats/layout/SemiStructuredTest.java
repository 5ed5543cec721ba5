package dev.quern.formats.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.SparseKernels.Element;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** 2:4 matrices as torch compresses them for CUTLASS, and what is none. */
class SemiStructuredTest {
  private static final int ROWS = 64;
  private static final int COLUMNS = 128;

  @Test
  void equalsTorchFor16Bits() {
    assertEqualsTorch(Element.FLOAT16, "bf16", SparseLayouts.SM80_16, 16);
  }

  @Test
  void equalsTorchFor8Bits() {
    assertEqualsTorch(Element.INT8, "i8", SparseLayouts.SM80_8, 32);
  }

  private static void assertEqualsTorch(
      Element element, String type, Layout layout, int columnsOfAWord) {
    try (SafetensorsFile file =
            SafetensorsFile.open(TestData.path("golden/layout_24_cutlass_sm80.safetensors"));
        Arena arena = Arena.ofConfined()) {
      MemorySegment dense = tensor(file, "dense_" + type, arena);
      MemorySegment values = arena.allocate(SemiStructured.valueBytes(element, ROWS, COLUMNS));
      long rowBytes = SemiStructured.nibbleBytes(COLUMNS);
      MemorySegment nibbles = arena.allocate(ROWS * rowBytes);
      SemiStructured.compress(element, dense, ROWS, COLUMNS, values, nibbles);
      assertThat(values.mismatch(tensor(file, "compressed_" + type, arena))).isEqualTo(-1);

      PackedShape shape = layout.shape(ROWS, COLUMNS / columnsOfAWord);
      MemorySegment meta = arena.allocate(shape.bytes());
      layout.pack(shape, nibbles, rowBytes, meta);
      assertThat(meta.mismatch(tensor(file, "meta_" + type, arena))).isEqualTo(-1);

      MemorySegment unpacked = arena.allocate(nibbles.byteSize());
      layout.unpack(shape, meta, unpacked, rowBytes);
      MemorySegment back = arena.allocate(dense.byteSize());
      SemiStructured.decompress(element, values, unpacked, ROWS, COLUMNS, back);
      assertThat(back.mismatch(withoutNegativeZeros(element, dense, arena))).isEqualTo(-1);
    }
  }

  private static MemorySegment withoutNegativeZeros(
      Element element, MemorySegment dense, Arena arena) {
    MemorySegment copy = arena.allocate(dense.byteSize(), 2).copyFrom(dense);
    for (long at = 0; element == Element.FLOAT16 && at < dense.byteSize(); at += 2) {
      if (copy.get(ValueLayout.JAVA_SHORT, at) == Short.MIN_VALUE) {
        copy.set(ValueLayout.JAVA_SHORT, at, (short) 0);
      }
    }
    return copy;
  }

  private static MemorySegment tensor(SafetensorsFile file, String name, Arena arena) {
    TensorInfo info = file.find(name).orElseThrow();
    return file.map(info, 0, info.bytes(), arena);
  }

  @Test
  void saysWhereAMatrixIsDense() {
    byte[] dense = new byte[3 * 8];
    dense[20] = 1;
    dense[21] = 2;
    dense[23] = 3;
    assertThatThrownBy(
            () ->
                SemiStructured.compress(
                    Element.INT8,
                    MemorySegment.ofArray(dense),
                    3,
                    8,
                    MemorySegment.ofArray(new byte[12]),
                    MemorySegment.ofArray(new byte[3])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("row 2, columns 4 to 7")
        .hasMessageContaining("prune");
    assertThatThrownBy(() -> SemiStructured.nibbleBytes(6)).hasMessageContaining("found 6");
    assertThatThrownBy(
            () ->
                SemiStructured.decompress(
                    Element.INT8,
                    MemorySegment.ofArray(new byte[4]),
                    MemorySegment.ofArray(new byte[] {0x04}),
                    1,
                    8,
                    MemorySegment.ofArray(new byte[8])))
        .hasMessageContaining("columns 4 to 7");
  }

  /** Hopper's two orders hold the same nibbles. */
  @Test
  void goesThroughEveryOrderAndBack() {
    SplittableRandom random = new SplittableRandom(90);
    byte[] dense = new byte[96 * 192];
    for (int quad = 0; quad < dense.length; quad += 4) {
      dense[quad + random.nextInt(4)] = (byte) random.nextInt(1, 100);
      dense[quad + random.nextInt(4)] = (byte) -random.nextInt(1, 100);
    }
    MemorySegment rows = MemorySegment.ofArray(dense);
    MemorySegment values = MemorySegment.ofArray(new byte[dense.length / 2]);
    MemorySegment nibbles = MemorySegment.ofArray(new byte[96 * 24]);
    SemiStructured.compress(Element.INT8, rows, 96, 192, values, nibbles);
    for (Layout layout : new Layout[] {SparseLayouts.SM90_8, SparseLayouts.SM90_16}) {
      PackedShape shape = layout.shape(96, 48);
      MemorySegment meta = MemorySegment.ofArray(new byte[(int) shape.bytes()]);
      layout.pack(shape, nibbles, 24, meta);
      MemorySegment back = MemorySegment.ofArray(new byte[96 * 24]);
      layout.unpack(shape, meta, back, 24);
      MemorySegment again = MemorySegment.ofArray(new byte[dense.length]);
      SemiStructured.decompress(Element.INT8, values, back, 96, 192, again);
      assertThat(again.mismatch(rows)).isEqualTo(-1);
    }
  }
}
