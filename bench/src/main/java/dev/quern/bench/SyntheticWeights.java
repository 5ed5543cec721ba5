package dev.quern.bench;

import dev.quern.engine.numeric.Bf16;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Pseudo-random bf16 weights, about normally distributed, made as fast as memory takes them: 16
 * random bits choose one of 65,536 values that were drawn before.
 *
 * <p>Every piece of every tensor has a seed of its own, so pieces may be made in any order. Nothing
 * here depends on a generator of the JDK, whose numbers may differ in another version.
 */
final class SyntheticWeights {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;
  private static final int VALUES = 1 << 16;

  private final float[] normal = new float[VALUES];

  /** Draws the values: twelve uniform numbers add up to a variance of 1. */
  SyntheticWeights() {
    long state = 1;
    for (int i = 0; i < VALUES; i++) {
      long sum = 0;
      for (int k = 0; k < 12; k++) {
        sum += mix(state += GOLDEN) >>> 40;
      }
      normal[i] = (float) (sum * 0x1p-24 - 6);
    }
  }

  /** The values of a tensor: normalisation weights lie around 1, all others around 0. */
  short[] values(int tensor, boolean norm) {
    float deviation = 0.01f + 0.03f * (mix(tensor) >>> 40) * 0x1p-24f;
    float mean = norm ? 1f : 0f;
    short[] values = new short[VALUES];
    for (int i = 0; i < VALUES; i++) {
      values[i] = Bf16.encode(mean + deviation * normal[i]);
    }
    return values;
  }

  /**
   * Fills a segment.
   *
   * @param values as {@link #values} gave them
   * @param target a multiple of 8 bytes
   */
  static void fill(short[] values, int tensor, int piece, MemorySegment target) {
    long state = mix(((long) tensor << 32) + piece + 1);
    for (long offset = 0; offset < target.byteSize(); offset += Long.BYTES) {
      long random = mix(state += GOLDEN);
      long four =
          (values[(int) random & 0xFFFF] & 0xFFFFL)
              | (values[(int) (random >>> 16) & 0xFFFF] & 0xFFFFL) << 16
              | (values[(int) (random >>> 32) & 0xFFFF] & 0xFFFFL) << 32
              | (values[(int) (random >>> 48)] & 0xFFFFL) << 48;
      target.set(LONG, offset, four);
    }
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood 2014). */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return z ^ (z >>> 31);
  }
}
