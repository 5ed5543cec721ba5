package dev.quern.pipeline.source;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Reads elements of the types that codes, scales and zero points have. */
final class Elements {
  private static final float[] E4M3 = new float[256];
  private static final float[] POWERS = new float[256];

  static {
    for (int code = 0; code < 256; code++) {
      E4M3[code] = Fp8E4M3.decode((byte) code);
      POWERS[code] = E8M0.decode((byte) code);
    }
  }

  private Elements() {}

  /** Whether {@link #read} knows the type. */
  static boolean areKnown(DType dtype) {
    return switch (dtype) {
      case BF16, F16, F32, I8, F8_E4M3, U8, F8_E8M0 -> true;
      default -> false;
    };
  }

  /**
   * Reads elements at equal distances.
   *
   * @param dtype their type; U8 holds the exponents of powers of two, as F8_E8M0 does
   * @param offset byte of the first
   * @param step bytes from one to the next
   */
  static void read(
      DType dtype, MemorySegment source, long offset, long step, int count, float[] target) {
    switch (dtype) {
      case I8 -> {
        for (int i = 0; i < count; i++) {
          target[i] = source.get(JAVA_BYTE, offset + i * step);
        }
      }
      case F8_E4M3 -> {
        for (int i = 0; i < count; i++) {
          target[i] = E4M3[source.get(JAVA_BYTE, offset + i * step) & 0xFF];
        }
      }
      case U8, F8_E8M0 -> {
        for (int i = 0; i < count; i++) {
          target[i] = POWERS[source.get(JAVA_BYTE, offset + i * step) & 0xFF];
        }
      }
      default -> {
        Optional<FloatType> type = FloatType.of(dtype);
        FloatType known = type.orElseThrow(() -> new IllegalArgumentException(dtype.toString()));
        for (int i = 0; i < count; i++) {
          target[i] = known.load(source, offset + i * step);
        }
      }
    }
  }
}
