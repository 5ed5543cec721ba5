package dev.quern.formats.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What holds for every layout, shown for each on shapes that fit and on ragged ones. A subclass
 * names its layouts.
 */
abstract class LayoutContract {
  /** A row is longer than its elements by this, so that what lies between rows is seen. */
  private static final int GAP = 5;

  /** The layouts to test. */
  abstract List<Layout> layouts();

  /** Rows and columns: one tile, several, ragged in both, one element. A subclass may add some. */
  List<long[]> shapes(Layout layout) {
    long r = layout.tileRows();
    long c = layout.tileColumns();
    return List.of(
        new long[] {r, c},
        new long[] {2 * r, 3 * c},
        new long[] {3 * r, 2 * c},
        new long[] {r + 1, 2 * c - 1},
        new long[] {2 * r - 1, c + 1},
        new long[] {1, 1},
        new long[] {Math.max(1, r / 2), 5 * c + 3});
  }

  @TestFactory
  Stream<DynamicTest> isABijectionOnThePaddedBits() {
    return each(
        (layout, shape) -> {
          long total = shape.bytes() * 8;
          BitSet seen = new BitSet(Math.toIntExact(total));
          for (long row = 0; row < shape.paddedRows(); row++) {
            for (long column = 0; column < shape.paddedColumns(); column++) {
              for (int b = 0; b < layout.bits(); b++) {
                int at = Math.toIntExact(layout.bit(shape, row, column, b));
                assertThat(at < total && !seen.get(at))
                    .as("bit %d of (%d, %d) at %d of %d", b, row, column, at, total)
                    .isTrue();
                seen.set(at);
              }
            }
          }
          assertThat(seen.cardinality()).isEqualTo((int) total);
        });
  }

  @TestFactory
  Stream<DynamicTest> packsAsTheLawSaysAndUnpacksToTheInput() {
    return each(
        (layout, shape) -> {
          SplittableRandom random = new SplittableRandom(shape.bytes());
          long rowBytes = Math.ceilDiv(shape.columns() * layout.bits(), 8) + GAP;
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(shape.rows() * rowBytes);
            fill(source, random);
            clearBehindRows(source, rowBytes, shape.columns() * layout.bits());
            MemorySegment expected = arena.allocate(shape.bytes());
            LayoutLaw.pack(layout, shape, source, rowBytes, expected);

            MemorySegment found = arena.allocate(shape.bytes() + 2 * GAP);
            fill(found, random);
            MemorySegment before = arena.allocate(found.byteSize()).copyFrom(found);
            layout.pack(shape, source, rowBytes, found.asSlice(GAP, shape.bytes()));
            assertThat(found.asSlice(GAP, shape.bytes()).mismatch(expected)).isEqualTo(-1);
            assertThat(found.asSlice(0, GAP).mismatch(before.asSlice(0, GAP))).isEqualTo(-1);
            long end = GAP + shape.bytes();
            assertThat(found.asSlice(end).mismatch(before.asSlice(end))).isEqualTo(-1);

            MemorySegment back = arena.allocate(source.byteSize());
            fill(back, random);
            layout.unpack(shape, expected, back, rowBytes);
            assertThat(back.mismatch(source)).isEqualTo(-1);
            fill(back, random);
            LayoutLaw.unpack(layout, shape, expected, back, rowBytes);
            assertThat(back.mismatch(source)).isEqualTo(-1);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> codesHaveAnInverse() {
    return layouts().stream()
        .filter(layout -> layout.bits() <= 8)
        .map(
            layout ->
                DynamicTest.dynamicTest(
                    layout.id(),
                    () -> {
                      BitSet stored = new BitSet();
                      for (int code = 0; code < 1 << layout.bits(); code++) {
                        assertThat(layout.decode(layout.encode(code))).isEqualTo(code);
                        stored.set((int) layout.encode(code));
                      }
                      assertThat(stored.length()).isEqualTo(1 << layout.bits());
                    }));
  }

  @TestFactory
  Stream<DynamicTest> refusesWhatDoesNotFit() {
    return layouts().stream()
        .map(
            layout ->
                DynamicTest.dynamicTest(
                    layout.id(),
                    () -> {
                      PackedShape shape = layout.shape(3, 5);
                      long rowBytes = Math.ceilDiv(5 * layout.bits(), 8);
                      MemorySegment rows = MemorySegment.ofArray(new byte[(int) (3 * rowBytes)]);
                      MemorySegment tensor = MemorySegment.ofArray(new byte[(int) shape.bytes()]);
                      MemorySegment less = tensor.asSlice(1);
                      assertThatThrownBy(() -> layout.pack(shape, rows, rowBytes, less))
                          .isInstanceOf(IllegalArgumentException.class)
                          .hasMessageContaining(layout.id())
                          .hasMessageContaining("" + shape.bytes());
                      assertThatThrownBy(
                              () -> layout.unpack(shape, tensor, rows.asSlice(1), rowBytes))
                          .hasMessageContaining("" + 3 * rowBytes);
                      assertThatThrownBy(() -> layout.pack(shape, rows, rowBytes - 1, tensor))
                          .hasMessageContaining("apart");
                      assertThatThrownBy(() -> layout.shape(0, 5)).hasMessageContaining("0 x 5");
                    }));
  }

  /** One test of a layout and a shape. */
  interface Check {
    void run(Layout layout, PackedShape shape);
  }

  private Stream<DynamicTest> each(Check check) {
    List<DynamicTest> tests = new ArrayList<>();
    for (Layout layout : layouts()) {
      for (long[] size : shapes(layout)) {
        PackedShape shape = layout.shape(size[0], size[1]);
        String name = layout.id() + " " + size[0] + " x " + size[1];
        tests.add(DynamicTest.dynamicTest(name, () -> check.run(layout, shape)));
        PackedShape more =
            layout.shape(
                size[0],
                size[1],
                shape.paddedRows() + layout.tileRows(),
                shape.paddedColumns() + 2L * layout.tileColumns());
        tests.add(DynamicTest.dynamicTest(name + ", more padding", () -> check.run(layout, more)));
      }
    }
    return tests.stream();
  }

  static void fill(MemorySegment segment, SplittableRandom random) {
    for (long at = 0; at < segment.byteSize(); at++) {
      segment.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
    }
  }

  private static void clearBehindRows(MemorySegment rows, long rowBytes, long rowBits) {
    for (long at = 0; at < rows.byteSize(); at++) {
      long used = rowBits - at % rowBytes * 8;
      if (used < 8) {
        int mask = used <= 0 ? 0 : (1 << used) - 1;
        int kept = rows.get(ValueLayout.JAVA_BYTE, at) & mask;
        rows.set(ValueLayout.JAVA_BYTE, at, (byte) kept);
      }
    }
  }
}
