package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All 256 codes by all scales of half precision, and by many of binary32. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class E4M3DequantizeTwinTest {
  @Parameter Twin twin;

  private static final int CODES = 256; // a multiple of every vector's lanes: no tail

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void everyCodeByEveryScale(FloatType type) {
    try (Arena arena = Arena.ofConfined()) {
      Comparison comparison = new Comparison(twin, arena, type);
      for (int bits = 1; bits < type.infinityBits(); bits++) {
        comparison.check(type.decode(bits));
      }
      assertThat(comparison.visited).isEqualTo(CODES * (type.infinityBits() - 1L));
    }
  }

  @Test
  void everyCodeByRandomF32Scales() {
    SplittableRandom random = new SplittableRandom(28);
    int scales = 30_000;
    try (Arena arena = Arena.ofConfined()) {
      Comparison comparison = new Comparison(twin, arena, FloatType.F32);
      for (int special : new int[] {1, 0x007F_FFFF, 0x0080_0000, 0x3F80_0000, 0x7F7F_FFFF}) {
        comparison.check(Float.intBitsToFloat(special));
      }
      for (int i = 0; i < scales; i++) {
        comparison.check(Float.intBitsToFloat(random.nextInt(1, 0x7F80_0000)));
      }
      assertThat(comparison.visited).isEqualTo((scales + 5L) * CODES);
    }
  }

  private static final class Comparison {
    private final Kernels kernels;
    private final FloatType type;
    private final MemorySegment codes;
    private final Guarded expected;
    private final Guarded found;
    private long visited;

    Comparison(Twin twin, Arena arena, FloatType type) {
      this.kernels = twin.kernels();
      this.type = type;
      this.codes = arena.allocate(CODES);
      this.expected = new Guarded(arena, CODES * type.bytes());
      this.found = new Guarded(arena, CODES * type.bytes());
      for (int code = 0; code < CODES; code++) {
        codes.set(ValueLayout.JAVA_BYTE, code, (byte) code);
      }
    }

    void check(float scale) {
      long at = expected.offset();
      expected.poison();
      found.poison();
      Twin.LAW.dequantizeE4M3(type, codes, 0, CODES, scale, expected.memory(), at);
      kernels.dequantizeE4M3(type, codes, 0, CODES, scale, found.memory(), at);
      String call = type + " by scale " + Float.toHexString(scale);
      found.checkEquals(at, expected, at, (long) CODES * type.bytes(), call);
      visited += CODES;
    }
  }
}
