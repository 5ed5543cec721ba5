package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Squared errors of a group of 16 under 16 scales, each scale in a lane of its own; so the sums are
 * in the order of the elements, whatever the width.
 *
 * <p>E2M1 as a value: adding and subtracting 2^(e+22) rounds as in {@link E2M1QuantizeVectors}.
 */
final class Nvfp4SearchVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int INFINITY = 0x7F80_0000;
  private static final int ONE = Float.floatToRawIntBits(1f);
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LE);

  private Nvfp4SearchVectors() {}

  static void sums(
      MemorySegment values,
      long offset,
      float unit,
      float[] scales,
      float[] reciprocals,
      int start,
      float[] lanes) {
    for (int lane = 0; lane < 16; lane += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scales, start + lane);
      FloatVector reciprocal = FloatVector.fromArray(F, reciprocals, start + lane);
      FloatVector sum = FloatVector.zero(F);
      for (int i = 0; i < 16; i++) {
        float x = Math.abs(values.get(FLOAT, offset + 4L * i)) * unit;
        FloatVector magnitude = FloatVector.broadcast(F, x);
        FloatVector quotient = magnitude.mul(reciprocal).min(6f);
        IntVector power = quotient.reinterpretAsInts().and(INFINITY).max(ONE).add(22 << 23);
        FloatVector magic = power.reinterpretAsFloats();
        FloatVector error = magnitude.sub(quotient.add(magic).sub(magic).mul(scale));
        sum = sum.add(error.mul(error));
      }
      sum.intoArray(lanes, lane);
    }
  }
}
