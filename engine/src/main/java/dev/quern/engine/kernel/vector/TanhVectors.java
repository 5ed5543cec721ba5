package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.kernel.DecoderMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link DecoderMath#tanh}, operation by operation. One loop for both uses: with a cap of 1, the
 * division before and the product after change no bit but those of a NaN.
 */
final class TanhVectors {
  private static final VectorSpecies<Float> F = Shapes.F;

  private TanhVectors() {}

  /** In place; {@code n} is a multiple of a vector. */
  static void tanh(MemorySegment x, long offset, int n) {
    softCap(x, offset, n, 1);
  }

  /** In place, by whole vectors; returns how many elements. */
  @SuppressForbidden(reason = "the law of tanh is defined with fma")
  static int softCap(MemorySegment source, long offset, int n, float cap) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, source, offset + 4L * i, LE).div(cap);
      FloatVector magnitude = x.abs();
      FloatVector e = ExpVectors.exp(magnitude.add(magnitude));
      FloatVector two = FloatVector.broadcast(F, 2f);
      FloatVector large = FloatVector.broadcast(F, 1f).sub(two.div(e.add(1)));
      large = large.blend(large.neg(), x.compare(VectorOperators.LT, 0f));
      FloatVector z = x.mul(x);
      FloatVector p = FloatVector.broadcast(F, -5.70498872745e-3f);
      p = p.fma(z, FloatVector.broadcast(F, 2.06390887954e-2f));
      p = p.fma(z, FloatVector.broadcast(F, -5.37397155531e-2f));
      p = p.fma(z, FloatVector.broadcast(F, 1.33314422036e-1f));
      p = p.fma(z, FloatVector.broadcast(F, -3.33332819422e-1f));
      FloatVector small = p.mul(z).fma(x, x);
      large
          .blend(small, magnitude.compare(VectorOperators.LT, DecoderMath.TANH_SMALL))
          .mul(cap)
          .intoMemorySegment(source, offset + 4L * i, LE);
    }
    return i;
  }
}
