package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.PackedBits;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Packing of codes to four bits: two bytes in a 16-bit lane become one. */
final class IntPackVectors {
  private static final VectorSpecies<Short> S = Shapes.S;

  private IntPackVectors() {}

  static void nibbles(MemorySegment source, long from, int n, MemorySegment target, long to) {
    int step = 2 * S.length();
    int i = 0;
    for (int bound = n - n % step; i < bound; i += step) {
      // Flipping the fourth bit adds 8, for what counts are four bits.
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + i, LE);
      ShortVector stored = x.lanewise(VectorOperators.XOR, (short) 0x0808);
      ShortVector even = stored.and((short) 0x000F);
      ShortVector odd = stored.lanewise(VectorOperators.LSHR, 4).and((short) 0x00F0);
      ((ByteVector) even.or(odd).convertShape(VectorOperators.S2B, Shapes.B_HALF, 0))
          .intoMemorySegment(target, to + i / 2, LE);
    }
    PackedBits.pack(source, from + i, n - i, 4, target, to + i / 2);
  }
}
