package dev.quern.engine.kernel.vector;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shapes of all kernels, derived from the machine's preferred one; never a fixed width.
 */
final class Shapes {
  static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  /** Binary32 lanes of the preferred width: 16 with AVX-512, 8 with AVX2. */
  static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  /** As many ints as {@link #F} has floats. */
  static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;

  /** Longs of the full width: four shorts in each. */
  static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED;

  /** Bytes of the full width. */
  static final VectorSpecies<Byte> B = ByteVector.SPECIES_PREFERRED;

  /** Shorts of the full width: twice the lanes of {@link #F}. */
  static final VectorSpecies<Short> S = ShortVector.SPECIES_PREFERRED;

  /** 16 shorts: one group of NVFP4. Both widths that this provider runs on have them. */
  static final VectorSpecies<Short> S16 = ShortVector.SPECIES_256;

  // Where F has fewer than 256 bits this provider does not run, and asks its own width to say so:
  // there no species below may fail.
  private static final int HALF = Math.max(64, F.vectorBitSize() / 2);
  private static final int QUARTER = Math.max(64, F.vectorBitSize() / 4);

  /** As many shorts as {@link #F} has floats, in half the width. */
  static final VectorSpecies<Short> S_HALF = VectorShape.forBitSize(HALF).withLanes(short.class);

  /** As many bytes as {@link #S} has shorts, in half the width. */
  static final VectorSpecies<Byte> B_HALF = VectorShape.forBitSize(HALF).withLanes(byte.class);

  /** As many bytes as {@link #F} has floats, in a quarter of the width. */
  static final VectorSpecies<Byte> B_QUARTER =
      VectorShape.forBitSize(QUARTER).withLanes(byte.class);

  private Shapes() {}
}
