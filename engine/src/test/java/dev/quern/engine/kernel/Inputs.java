package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Fills memory with elements for tests. */
public final class Inputs {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Inputs() {}

  /** Random bytes from {@code offset} on: every kind of number, NaN and infinity among them. */
  public static void anyBits(MemorySegment memory, long offset, SplittableRandom random) {
    for (long i = offset; i < memory.byteSize(); i++) {
      memory.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
  }

  /**
   * What a weight matrix holds: magnitudes up to {@code largest} over many binades, and zeros of
   * both signs.
   */
  public static void weights(
      FloatType type, MemorySegment memory, long offset, float largest, SplittableRandom random) {
    for (long at = offset; at + type.bytes() <= memory.byteSize(); at += type.bytes()) {
      float magnitude = (float) Math.scalb(random.nextDouble(), -random.nextInt(16)) * largest;
      float value = random.nextInt(16) == 0 ? 0f : magnitude;
      type.store(memory, at, random.nextBoolean() ? -value : value);
    }
  }

  /** Writes one element by its bit pattern, which a store by value would not keep for NaN. */
  public static void putBits(FloatType type, MemorySegment memory, long offset, int bits) {
    if (type.bytes() == 2) {
      memory.set(SHORT, offset, (short) bits);
    } else {
      memory.set(INT, offset, bits);
    }
  }

  /** Zeros, the ends of all ranges, infinities and NaN of both signs, as bit patterns. */
  public static int[] specialBits(FloatType type) {
    int infinity = type.infinityBits();
    int minNormal = Integer.lowestOneBit(infinity);
    int one = type.encode(1f);
    int tieAbove448 = type.encode(464f);
    int[] magnitudes = {
      0,
      1,
      2,
      minNormal - 1,
      minNormal,
      minNormal + 1,
      one - 1,
      one,
      one + 1,
      type.encode(448f),
      tieAbove448 - 1,
      tieAbove448,
      tieAbove448 + 1,
      infinity - 1,
      infinity,
      infinity + 1,
      type.signlessMask(),
    };
    int[] both = new int[2 * magnitudes.length];
    for (int i = 0; i < magnitudes.length; i++) {
      both[2 * i] = magnitudes[i];
      both[2 * i + 1] = magnitudes[i] | (type.signlessMask() + 1);
    }
    return both;
  }
}
