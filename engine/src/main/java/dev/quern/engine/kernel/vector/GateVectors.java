package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.DecoderMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Gates by whole vectors. GELU takes three passes, so that each loop is small enough for C2. */
final class GateVectors {
  private static final VectorSpecies<Float> F = Shapes.F;

  private GateVectors() {}

  /** Returns how many elements it did. */
  static int silu(
      MemorySegment gate,
      long gateOffset,
      MemorySegment up,
      long upOffset,
      int n,
      MemorySegment target,
      long targetOffset) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector g = FloatVector.fromMemorySegment(F, gate, gateOffset + 4L * i, LE);
      FloatVector e = ExpVectors.exp(g.neg());
      g.div(e.add(1))
          .mul(FloatVector.fromMemorySegment(F, up, upOffset + 4L * i, LE))
          .intoMemorySegment(target, targetOffset + 4L * i, LE);
    }
    return i;
  }

  /** {@link DecoderMath#geluArgument} of each; returns how many elements it did. */
  static int geluArguments(
      MemorySegment gate, long gateOffset, int n, MemorySegment target, long targetOffset) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector g = FloatVector.fromMemorySegment(F, gate, gateOffset + 4L * i, LE);
      FloatVector cube = g.mul(g).mul(g);
      g.add(cube.mul(DecoderMath.GELU_CUBE))
          .mul(DecoderMath.GELU_FACTOR)
          .intoMemorySegment(target, targetOffset + 4L * i, LE);
    }
    return i;
  }

  /** The gate, where {@code target} holds the hyperbolic tangents. */
  static void gelu(
      MemorySegment gate,
      long gateOffset,
      MemorySegment up,
      long upOffset,
      int n,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i += F.length()) {
      FloatVector g = FloatVector.fromMemorySegment(F, gate, gateOffset + 4L * i, LE);
      FloatVector tanh = FloatVector.fromMemorySegment(F, target, targetOffset + 4L * i, LE);
      g.mul(0.5f)
          .mul(tanh.add(1))
          .mul(FloatVector.fromMemorySegment(F, up, upOffset + 4L * i, LE))
          .intoMemorySegment(target, targetOffset + 4L * i, LE);
    }
  }
}
