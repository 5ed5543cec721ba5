package dev.quern.engine.kernel.vector;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.kernel.DecoderMath;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link DecoderMath#exp}, operation by operation. To be called first in a loop: it takes most of
 * what C2 inlines.
 */
final class ExpVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int MAGIC_BITS = Float.floatToRawIntBits(DecoderMath.INTEGER_MAGIC);

  private ExpVectors() {}

  @SuppressForbidden(reason = "the law of exp is defined with fma")
  static FloatVector exp(FloatVector x) {
    FloatVector shifted = x.mul(DecoderMath.LOG2_E).add(DecoderMath.INTEGER_MAGIC);
    IntVector q = shifted.reinterpretAsInts().sub(MAGIC_BITS);
    FloatVector k = shifted.sub(DecoderMath.INTEGER_MAGIC);
    FloatVector r = k.fma(FloatVector.broadcast(F, -DecoderMath.LN2_UPPER), x);
    r = k.fma(FloatVector.broadcast(F, -DecoderMath.LN2_LOWER), r);
    FloatVector u = FloatVector.broadcast(F, 0.000198527617612853646278381f);
    u = u.fma(r, FloatVector.broadcast(F, 0.00139304355252534151077271f));
    u = u.fma(r, FloatVector.broadcast(F, 0.00833336077630519866943359f));
    u = u.fma(r, FloatVector.broadcast(F, 0.0416664853692054748535156f));
    u = u.fma(r, FloatVector.broadcast(F, 0.166666671633720397949219f));
    u = u.fma(r, FloatVector.broadcast(F, 0.5f));
    FloatVector y = r.mul(r).fma(u, r).add(1);
    IntVector half = q.lanewise(VectorOperators.ASHR, 1);
    IntVector rest = q.sub(half);
    y = y.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
    y = y.mul(rest.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
    return y.blend(0f, x.compare(VectorOperators.LT, -DecoderMath.EXP_RANGE))
        .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, DecoderMath.EXP_RANGE));
  }
}
