package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Which floats of a weight are negative zeros, for layouts that have no place for them: 2:4 drops
 * zeros, and E4M3 FNUZ has but one. To a kernel both zeros are the same; the mask brings the
 * checkpoint back bit for bit.
 *
 * <pre>
 *   U8 [N, ceil(K/8)]     bit k%8 of byte (n, k/8) is set where weight (n, k) is -0
 * </pre>
 */
final class NegativeZeros {
  static final String NAME = "weight_negative_zeros";

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private NegativeZeros() {}

  /** The mask of a module's weight. */
  static PackedTensor mask(QuantizedMatrix module) {
    int bytes = module.bits() / Byte.SIZE;
    long rowBytes = Math.ceilDiv(module.k(), Byte.SIZE);
    return MadeTensor.of(
        NAME,
        TensorType.of(DType.U8, module.n(), rowBytes),
        "bit k%8 of byte k/8 is set for -0",
        module.weight(),
        (logical, target) -> {
          MemorySegment weight = logical.apply(module.weight());
          for (long n = 0; n < module.n(); n++) {
            for (long octet = 0; octet < rowBytes; octet++) {
              int set = 0;
              long end = Math.min(module.k(), (octet + 1) * Byte.SIZE);
              for (long k = octet * Byte.SIZE; k < end; k++) {
                set |= isNegativeZero(weight, bytes, n * module.k() + k) ? 1 << (k & 7) : 0;
              }
              target.set(ValueLayout.JAVA_BYTE, n * rowBytes + octet, (byte) set);
            }
          }
        });
  }

  private static boolean isNegativeZero(MemorySegment weight, int bytes, long element) {
    return bytes == 1
        ? weight.get(ValueLayout.JAVA_BYTE, element) == Byte.MIN_VALUE
        : weight.get(SHORT, element * Short.BYTES) == Short.MIN_VALUE;
  }

  /** Writes the negative zeros of a mask into a weight. */
  static void restore(QuantizedMatrix module, MemorySegment mask, MemorySegment weight) {
    int bytes = module.bits() / Byte.SIZE;
    long rowBytes = Math.ceilDiv(module.k(), Byte.SIZE);
    for (long at = 0; at < mask.byteSize(); at++) {
      int set = mask.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
      for (; set != 0; set &= set - 1) {
        long k = at % rowBytes * Byte.SIZE + Integer.numberOfTrailingZeros(set);
        LayoutException.require(k < module.k(), "a mask of " + module.k() + " weights", "more");
        // The sign is the highest bit of the last byte.
        long last = (at / rowBytes * module.k() + k + 1) * bytes - 1;
        weight.set(ValueLayout.JAVA_BYTE, last, Byte.MIN_VALUE);
      }
    }
  }
}
