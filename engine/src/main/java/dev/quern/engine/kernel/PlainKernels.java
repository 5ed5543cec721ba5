package dev.quern.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.numeric.Bf16;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Plain loops, shaped for speed: what runs where vectors cannot be had, and everywhere until the
 * compiler has made the vector loops fast. Each equals {@link ScalarKernels} bit for bit; what is
 * not shaped here is that class's own.
 */
final class PlainKernels implements Kernels {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final float[] DECODED = decoded();

  private final ScalarKernels law = new ScalarKernels();

  @Override
  public int absMaxBits(FloatType type, MemorySegment source, long sourceOffset, int n) {
    if (type == FloatType.F32) {
      int max = 0;
      for (int i = 0; i < n; i++) {
        max = Math.max(max, source.get(INT, sourceOffset + 4L * i) & 0x7FFF_FFFF);
      }
      return max;
    }
    // Two elements at a time, the odd one left in the upper half.
    int even = 0;
    int odd = 0;
    int pairs = n & ~1;
    for (int i = 0; i < pairs; i += 2) {
      int pair = source.get(INT, sourceOffset + 2L * i);
      even = Math.max(even, pair & 0x7FFF);
      odd = Math.max(odd, pair & 0x7FFF_0000);
    }
    int max = Math.max(even, odd >>> 16);
    return pairs == n ? max : Math.max(max, source.get(SHORT, sourceOffset + 2L * pairs) & 0x7FFF);
  }

  @Override
  public void quantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset) {
    if (type != FloatType.BF16 || !Bf16QuotientTable.covers(scale)) {
      law.quantizeE4M3(type, source, sourceOffset, n, scale, target, targetOffset);
      return;
    }
    int row = Bf16QuotientTable.row(scale);
    int exponentOffset = Bf16QuotientTable.exponentOffset(scale);
    for (int i = 0; i < n; i++) {
      int x = source.get(SHORT, sourceOffset + 2L * i);
      target.set(JAVA_BYTE, targetOffset + i, Bf16QuotientTable.code(x, row, exponentOffset));
    }
  }

  @Override
  public void dequantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset) {
    if (type != FloatType.BF16) {
      law.dequantizeE4M3(type, source, sourceOffset, n, scale, target, targetOffset);
      return;
    }
    for (int i = 0; i < n; i++) {
      float value = DECODED[source.get(JAVA_BYTE, sourceOffset + i) & 0xFF] * scale;
      short bits = Bf16.encode(ScalarKernels.canonical(value));
      target.set(SHORT, targetOffset + 2L * i, bits);
    }
  }

  @Override
  public void convert(
      FloatType from,
      MemorySegment source,
      long sourceOffset,
      int n,
      FloatType to,
      MemorySegment target,
      long targetOffset) {
    if (from != FloatType.BF16 || to != FloatType.F32) {
      law.convert(from, source, sourceOffset, n, to, target, targetOffset);
      return;
    }
    for (int i = 0; i < n; i++) {
      int bits = source.get(SHORT, sourceOffset + 2L * i) << 16;
      boolean nan = (bits & 0x7FFF_FFFF) > 0x7F80_0000;
      target.set(INT, targetOffset + 4L * i, nan ? 0x7FC0_0000 : bits);
    }
  }

  @Override
  public void addErrors(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int n,
      float relativeBound,
      ErrorSums sums) {
    law.addErrors(
        original, originalOffset, approximation, approximationOffset, n, relativeBound, sums);
  }

  private static float[] decoded() {
    float[] values = new float[256];
    for (int code = 0; code < values.length; code++) {
      values[code] = Fp8E4M3.decode((byte) code);
    }
    return values;
  }
}
