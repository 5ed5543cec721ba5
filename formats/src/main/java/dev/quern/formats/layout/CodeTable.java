package dev.quern.formats.layout;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongUnaryOperator;

/** A map of codes of 1, 2, 4 or 8 bits, applied to all codes of a byte at once. */
final class CodeTable {
  private static final int BYTE_VALUES = 256;

  private final byte[] table = new byte[BYTE_VALUES];

  CodeTable(int bits, LongUnaryOperator map) {
    int mask = (1 << bits) - 1;
    for (int value = 0; value < BYTE_VALUES; value++) {
      int mapped = 0;
      for (int at = 0; at < 8; at += bits) {
        mapped |= (int) map.applyAsLong(value >> at & mask) << at;
      }
      table[value] = (byte) mapped;
    }
  }

  /** Maps {@code bits} bits from byte {@code from} on; the rest of the last byte stays. */
  void apply(MemorySegment segment, long from, long bits) {
    long bytes = bits / 8;
    for (long at = from; at < from + bytes; at++) {
      segment.set(ValueLayout.JAVA_BYTE, at, of(segment.get(ValueLayout.JAVA_BYTE, at)));
    }
    int rest = (int) (bits % 8);
    if (rest > 0) {
      byte value = segment.get(ValueLayout.JAVA_BYTE, from + bytes);
      int mask = (1 << rest) - 1;
      byte mapped = (byte) (of(value) & mask | value & ~mask);
      segment.set(ValueLayout.JAVA_BYTE, from + bytes, mapped);
    }
  }

  private byte of(byte value) {
    return table[value & 0xFF];
  }
}
