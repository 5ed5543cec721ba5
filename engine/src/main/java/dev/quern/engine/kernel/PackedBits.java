package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Packing and unpacking of codes of any width, eight at a time in a {@code long}; equal to {@link
 * ScalarIntKernels} bit for bit.
 *
 * <p>Eight codes of {@code b} bits fill {@code b} bytes, so the stream goes on at a byte after
 * every eight, and three steps bring neighbours together (shown for three bits):
 *
 * <pre>
 *   bytes       00000hhh 00000ggg 00000fff 00000eee 00000ddd 00000ccc 00000bbb 00000aaa
 *   pairs       ..........hhhggg  ..........fffeee  ..........dddccc  ..........bbbaaa
 *   fours       ....................hhhgggfffeee    ....................dddcccbbbaaa
 *   eight       ........................................hhhgggfffeeedddcccbbbaaa
 * </pre>
 */
public final class PackedBits {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long EACH_BYTE = 0x0101_0101_0101_0101L;
  private static final long EACH_SHORT = 0x0001_0001_0001_0001L;
  private static final long EACH_INT = 0x0000_0001_0000_0001L;
  private static final IntKernels LAW = new ScalarIntKernels();

  private PackedBits() {}

  /** See {@link IntKernels#pack}. */
  public static void pack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset) {
    // Each store writes eight bytes, of which the next one overwrites what is not its own. So the
    // last eight bytes are left to the law, which goes on at a whole word, after 32 elements.
    int whole = Math.max(0, n - Long.SIZE / bits) / 32 * 32;
    long bias = EACH_BYTE << (bits - 1);
    long low = EACH_BYTE * ((1 << bits) - 1);
    long evenBytes = EACH_SHORT * ((1L << bits) - 1);
    long evenPairs = EACH_INT * ((1L << 2 * bits) - 1);
    long evenFours = (1L << 4 * bits) - 1;
    long at = targetOffset;
    for (int i = 0; i < whole; i += 8) {
      // Flipping the top bit adds 2^(bits-1), for what counts are the lowest bits.
      long x = (source.get(LONG, sourceOffset + i) ^ bias) & low;
      x = (x & evenBytes) | ((x >>> (8 - bits)) & (evenBytes << bits));
      x = (x & evenPairs) | ((x >>> (16 - 2 * bits)) & (evenPairs << 2 * bits));
      x = (x & evenFours) | ((x >>> (32 - 4 * bits)) & (evenFours << 4 * bits));
      target.set(LONG, at, x);
      at += bits;
    }
    LAW.pack(source, sourceOffset + whole, n - whole, bits, target, at);
  }

  /** See {@link IntKernels#unpack}. */
  public static void unpack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset) {
    // Each load reads eight bytes; the last ones, as above, are left to the law.
    long readable = IntKernels.packedBytes(n, bits) - Long.BYTES;
    int whole = (int) Math.min(n, readable < 0 ? 0 : readable / bits * 8 + 8) / 32 * 32;
    long evenBytes = EACH_SHORT * ((1L << bits) - 1);
    long evenPairs = EACH_INT * ((1L << 2 * bits) - 1);
    long evenFours = (1L << 4 * bits) - 1;
    long toSign = EACH_BYTE * (0x80 - (1 << (bits - 1)));
    long at = sourceOffset;
    for (int i = 0; i < whole; i += 8) {
      long x = source.get(LONG, at);
      x = (x & evenFours) | ((x & (evenFours << 4 * bits)) << (32 - 4 * bits));
      x = (x & evenPairs) | ((x & (evenPairs << 2 * bits)) << (16 - 2 * bits));
      x = (x & evenBytes) | ((x & (evenBytes << bits)) << (8 - bits));
      // The offset brings the smallest code to 0x80, where flipping the sign makes it negative.
      target.set(LONG, targetOffset + i, (x + toSign) ^ (EACH_BYTE << 7));
      at += bits;
    }
    LAW.unpack(source, at, n - whole, bits, target, targetOffset + whole);
  }
}
