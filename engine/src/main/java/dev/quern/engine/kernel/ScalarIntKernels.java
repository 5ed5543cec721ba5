package dev.quern.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The definition of every bulk operation on integers: one obvious loop each.
 *
 * <p>Source: compressed-tensors 0.18, {@code quantize}, {@code dequantize}, {@code pack_to_int32}
 * and {@code unpack_from_int32}, as run on CPU.
 */
public final class ScalarIntKernels implements IntKernels {
  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ThreadBuffer CODES = new ThreadBuffer();

  /** The kernels have no state. */
  public ScalarIntKernels() {}

  @Override
  public void absMax(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      int[] maxBits) {
    Arrays.fill(maxBits, 0, Math.ceilDiv(n, groupSize), 0);
    for (int i = 0; i < n; i++) {
      int bits = type.loadBits(source, sourceOffset + (long) i * type.bytes());
      int group = i / groupSize;
      maxBits[group] = Math.max(maxBits[group], bits & type.signlessMask());
    }
  }

  @Override
  public void range(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] min,
      float[] max) {
    for (int begin = 0; begin < n; begin += groupSize) {
      int smallest = Integer.MAX_VALUE;
      int largest = Integer.MIN_VALUE;
      int end = Math.min(n, begin + groupSize);
      for (int i = begin; i < end; i++) {
        int bits = type.loadBits(source, sourceOffset + (long) i * type.bytes());
        int key = orderedKey(type, bits);
        smallest = Math.min(smallest, key);
        largest = Math.max(largest, key);
      }
      int group = begin / groupSize;
      min[group] = valueOfKey(type, smallest);
      max[group] = valueOfKey(type, largest);
    }
  }

  /** An int that orders as the value of these bits does in totalOrder. */
  public static int orderedKey(FloatType type, int bits) {
    int signed = type.bytes() == 2 ? (short) bits : bits;
    return signed ^ ((signed >> 31) & type.signlessMask());
  }

  /** The value that {@link #orderedKey} made a key of; NaN is canonical. */
  public static float valueOfKey(FloatType type, int key) {
    return ScalarKernels.canonical(type.decode(key ^ ((key >> 31) & type.signlessMask())));
  }

  @Override
  public void quantize(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i++) {
      float x = type.load(source, sourceOffset + (long) i * type.bytes());
      target.set(JAVA_BYTE, targetOffset + i, quantize(type, x, groups, i / groups.groupSize()));
    }
  }

  /** One element of the bulk operation of the same name. */
  public static byte quantize(FloatType type, float x, IntGroups groups, int group) {
    float quotient = type.round(x / groups.scales()[group]);
    float shifted = type.round(quotient + groups.zeroPoint(group));
    int lowest = IntGroups.lowest(groups.bits());
    int highest = IntGroups.highest(groups.bits());
    return (byte) Math.rint(Math.clamp(shifted, lowest, highest)); // NaN becomes 0
  }

  @Override
  public void quantizePacked(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset) {
    MemorySegment codes = CODES.atLeast(n);
    quantize(type, source, sourceOffset, n, groups, codes, 0);
    pack(codes, 0, n, groups.bits(), target, targetOffset);
  }

  @Override
  public void dequantize(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i++) {
      byte code = source.get(JAVA_BYTE, sourceOffset + i);
      float value = dequantize(code, groups, i / groups.groupSize());
      type.store(target, targetOffset + (long) i * type.bytes(), value);
    }
  }

  /**
   * One element of the bulk operation of the same name, before it is rounded to its type. The
   * reference rounds the difference too, but that is exact: its magnitude is at most 255.
   */
  public static float dequantize(byte code, IntGroups groups, int group) {
    return ScalarKernels.canonical((code - groups.zeroPoint(group)) * groups.scales()[group]);
  }

  @Override
  public void pack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset) {
    long at = targetOffset;
    long stream = 0;
    int filled = 0;
    for (int i = 0; i < n; i++) {
      stream |= (long) biased(source.get(JAVA_BYTE, sourceOffset + i), bits) << filled;
      filled += bits;
      if (filled >= Integer.SIZE) {
        target.set(WORD, at, (int) stream);
        at += Integer.BYTES;
        stream >>>= Integer.SIZE;
        filled -= Integer.SIZE;
      }
    }
    if (filled > 0) {
      target.set(WORD, at, (int) stream);
    }
  }

  /** A code as it is stored: {@code code + 2^(bits-1)}, in {@code bits} bits. */
  public static int biased(byte code, int bits) {
    return (code - IntGroups.lowest(bits)) & ((1 << bits) - 1);
  }

  @Override
  public void unpack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset) {
    long at = sourceOffset;
    long stream = 0;
    int left = 0;
    for (int i = 0; i < n; i++) {
      if (left < bits) {
        stream |= Integer.toUnsignedLong(source.get(WORD, at)) << left;
        at += Integer.BYTES;
        left += Integer.SIZE;
      }
      int stored = (int) stream & ((1 << bits) - 1);
      target.set(JAVA_BYTE, targetOffset + i, (byte) (stored + IntGroups.lowest(bits)));
      stream >>>= bits;
      left -= bits;
    }
  }
}
