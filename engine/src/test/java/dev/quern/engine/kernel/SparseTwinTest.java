package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows of 2:4 sparse matrices: all sets of zeros at all places, and rows of any length. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class SparseTwinTest {
  private static final int GAP = 3;

  @Parameter Twin twin;

  @Test
  void takesRowsApartAsTheLawDoes() {
    SplittableRandom random = new SplittableRandom(24);
    int rows = 0;
    for (SparseKernels.Element element : SparseKernels.Element.values()) {
      for (int n = 4; n <= 140; n += 4) {
        for (int round = 0; round < 6; round++) {
          assertThat(check(element, row(element, n, 2, random), random)).isTrue();
          rows++;
        }
      }
    }
    assertThat(rows).isEqualTo(3 * 35 * 6);
  }

  @Test
  void saysWhereARowIsNoSparseRow() {
    SplittableRandom random = new SplittableRandom(42);
    int refused = 0;
    for (SparseKernels.Element element : SparseKernels.Element.values()) {
      for (int round = 0; round < 300; round++) {
        int n = 4 * random.nextInt(1, 40);
        byte[] row = row(element, n, 2, random);
        for (int more = random.nextInt(1, 3); more > 0; more--) {
          int quad = random.nextInt(n / 4) * 4 * element.bytes();
          for (int i = 0; i < 4 * element.bytes(); i++) {
            row[quad + i] = (byte) random.nextInt(1, 128);
          }
        }
        refused += check(element, row, random) ? 0 : 1;
      }
    }
    assertThat(refused).isEqualTo(900);
  }

  @Test
  void saysWhichNibbleIsNoPair() {
    SplittableRandom random = new SplittableRandom(77);
    int refused = 0;
    for (SparseKernels.Element element : SparseKernels.Element.values()) {
      for (int round = 0; round < 400; round++) {
        int quads = random.nextInt(1, 20);
        byte[] nibbles = new byte[(quads + 1) / 2];
        random.nextBytes(nibbles);
        byte[] values = new byte[2 * quads * element.bytes()];
        random.nextBytes(values);
        byte[] expected = new byte[2 * values.length];
        byte[] found = new byte[2 * values.length];
        long wrong =
            Twin.LAW
                .sparse()
                .decompress24(
                    element, heap(values), 0, heap(nibbles), 0, 4L * quads, heap(expected), 0);
        assertThat(
                twin.kernels()
                    .sparse()
                    .decompress24(
                        element, heap(values), 0, heap(nibbles), 0, 4L * quads, heap(found), 0))
            .isEqualTo(wrong);
        if (wrong < 0) {
          assertThat(found).isEqualTo(expected);
        } else {
          refused++;
        }
      }
    }
    assertThat(refused).isGreaterThan(600);
  }

  /** Whether the row is a sparse one; fails when the twin finds something else than the law. */
  private boolean check(SparseKernels.Element element, byte[] bytes, SplittableRandom random) {
    long n = bytes.length / element.bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = arena.allocate(GAP + bytes.length);
      MemorySegment.copy(bytes, 0, row, ValueLayout.JAVA_BYTE, GAP, bytes.length);
      MemorySegment[] values = twice(arena, bytes.length / 2 + 2 * GAP, random);
      MemorySegment[] nibbles = twice(arena, Math.ceilDiv(n, 8) + 2 * GAP, random);
      long law =
          Twin.LAW.sparse().compress24(element, row, GAP, n, values[0], GAP, nibbles[0], GAP);
      long found =
          twin.kernels().sparse().compress24(element, row, GAP, n, values[1], GAP, nibbles[1], GAP);
      assertThat(found).isEqualTo(law);
      if (law >= 0) {
        return false;
      }
      assertThat(values[1].mismatch(values[0])).isEqualTo(-1);
      assertThat(nibbles[1].mismatch(nibbles[0])).isEqualTo(-1);
      MemorySegment[] back = twice(arena, bytes.length + 2 * GAP, random);
      for (int i = 0; i < 2; i++) {
        SparseKernels kernels = (i == 0 ? Twin.LAW : twin.kernels()).sparse();
        long wrong =
            kernels.decompress24(element, values[0], GAP, nibbles[0], GAP, n, back[i], GAP);
        assertThat(wrong).isEqualTo(-1);
      }
      assertThat(back[1].mismatch(back[0])).isEqualTo(-1);
      byte[] whole = back[1].asSlice(GAP, bytes.length).toArray(ValueLayout.JAVA_BYTE);
      for (int i = 0; i < whole.length; i++) {
        // Only a negative zero may be lost.
        assertThat(whole[i] == bytes[i] || whole[i] == 0 && bytes[i] == (byte) 0x80).isTrue();
      }
      return true;
    }
  }

  /** A row with up to so many elements of four that are not zero, and zeros of both signs. */
  private static byte[] row(
      SparseKernels.Element element, int n, int most, SplittableRandom random) {
    byte[] row = new byte[n * element.bytes()];
    for (int i = 0; i < n; i++) {
      if (element != SparseKernels.Element.INT8 && random.nextInt(3) == 0) {
        row[(i + 1) * element.bytes() - 1] = (byte) 0x80;
      }
    }
    for (int quad = 0; quad < n; quad += 4) {
      for (int kept = 0; kept < most; kept++) {
        int at = (quad + random.nextInt(4)) * element.bytes();
        for (int b = 0; b < element.bytes(); b++) {
          row[at + b] = (byte) (random.nextInt(4) == 0 ? 0x80 : random.nextInt());
        }
      }
    }
    return row;
  }

  private static MemorySegment[] twice(Arena arena, long bytes, SplittableRandom random) {
    MemorySegment first = arena.allocate(bytes);
    Inputs.anyBits(first, 0, random);
    return new MemorySegment[] {first, arena.allocate(bytes).copyFrom(first)};
  }

  private static MemorySegment heap(byte[] bytes) {
    return MemorySegment.ofArray(bytes);
  }
}
