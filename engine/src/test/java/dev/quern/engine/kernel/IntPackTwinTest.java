package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Packing against the definition, and the definition against examples that the reference wrote. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class IntPackTwinTest {
  @Parameter Twin twin;

  private static final int MAX_LENGTH = 3 * 128 + 37;
  private static final int[] OFFSETS = {0, 1, 3, 64};

  @ParameterizedTest(name = "{0} bits: {1}")
  @CsvSource({
    "4, -8 -7 -6 -5 -4 -3 -2 -1 0 1 2 3 4 5 6 7, 76543210 fedcba98",
    "3, -4 -3 -2 -1 0 1 2 3 -4 -3 -2 -1, 88fac688 00000006",
    "8, -128 -1 0 127 5, ff807f00 00000085",
    "4, -8 -7 -6 -5 -4 -3 -2 -1 0 1, 76543210 00000098",
    "2, -2 -1 0 1 1, 000003e4",
    "1, -1 0 0 -1 0, 00000016",
    "5, -16 15 0 -1, 0007c3e0",
    "7, -64 63 0 -1 5, 57f03f80 00000004",
  })
  void examples(int bits, String codes, String words) {
    byte[] values = bytes(codes);
    String[] expected = words.split(" ");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(values.length);
      MemorySegment.copy(values, 0, source, ValueLayout.JAVA_BYTE, 0, values.length);
      MemorySegment packed = arena.allocate(IntKernels.packedBytes(values.length, bits), 64);
      for (IntKernels kernels : new IntKernels[] {Twin.LAW.integers(), twin.kernels().integers()}) {
        packed.fill((byte) 0x5A);
        kernels.pack(source, 0, values.length, bits, packed, 0);
        assertThat(packed.byteSize()).isEqualTo(4L * expected.length);
        for (int w = 0; w < expected.length; w++) {
          int word = packed.getAtIndex(ValueLayout.JAVA_INT, w);
          assertThat(HexFormat.of().toHexDigits(word)).isEqualTo(expected[w]);
        }
        MemorySegment back = arena.allocate(values.length);
        kernels.unpack(packed, 0, values.length, bits, back, 0);
        assertThat(back.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(values);
      }
    }
  }

  private static byte[] bytes(String codes) {
    int[] values = Arrays.stream(codes.split(" ")).mapToInt(Integer::parseInt).toArray();
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  /** Of bytes that are no codes, too; and what was packed comes back. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void equalsTheLawAtEveryLength(int bits) {
    IntKernels kernels = twin.kernels().integers();
    IntKernels law = Twin.LAW.integers();
    SplittableRandom random = new SplittableRandom(41);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(MAX_LENGTH + 64, 64);
      Guarded expected = new Guarded(arena, MAX_LENGTH + 128);
      Guarded found = new Guarded(arena, MAX_LENGTH + 128);
      Guarded codes = new Guarded(arena, MAX_LENGTH + 128);
      for (int offset : OFFSETS) {
        for (int n = 0; n <= MAX_LENGTH; n++) {
          String call = bits + " bits, " + n + " elements, offset " + offset;
          Inputs.anyBits(source, 0, random);
          long bytes = IntKernels.packedBytes(n, bits);
          long at = expected.offset() + offset;
          expected.poison();
          found.poison();
          codes.poison();
          law.pack(source, offset, n, bits, expected.memory(), at);
          kernels.pack(source, offset, n, bits, found.memory(), at);
          expected.checkSurroundings(at, bytes, "the law of packing " + call);
          found.checkSurroundings(at, bytes, "packing " + call);
          found.checkEquals(at, expected, at, bytes, "packing " + call);
          kernels.unpack(found.memory(), at, n, bits, codes.memory(), at);
          codes.checkSurroundings(at, n, "unpacking " + call);
          for (int i = 0; i < n; i++) {
            byte low = source.get(ValueLayout.JAVA_BYTE, offset + i);
            byte code = codes.memory().get(ValueLayout.JAVA_BYTE, at + i);
            assertThat((int) code).isEqualTo(low << (32 - bits) >> (32 - bits));
          }
          calls++;
        }
      }
    }
    assertThat(calls).isEqualTo(OFFSETS.length * (MAX_LENGTH + 1));
  }
}
