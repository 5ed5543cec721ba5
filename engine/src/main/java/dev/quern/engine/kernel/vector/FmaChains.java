package dev.quern.engine.kernel.vector;

import dev.quern.engine.annotation.SuppressForbidden;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Ten chains of multiply-adds: enough for two units with a latency of four or five cycles. */
@SuppressForbidden(reason = "measures what fused multiply-adds can reach")
final class FmaChains {
  private static final VectorSpecies<Float> F = Shapes.F;

  static final int OPERATIONS = 2 * 10 * F.length();

  private FmaChains() {}

  static float run(int rounds) {
    FloatVector half = FloatVector.broadcast(F, 0.5f);
    FloatVector one = FloatVector.broadcast(F, 1);
    FloatVector a = FloatVector.broadcast(F, 1);
    FloatVector b = FloatVector.broadcast(F, 2);
    FloatVector c = FloatVector.broadcast(F, 3);
    FloatVector d = FloatVector.broadcast(F, 4);
    FloatVector e = FloatVector.broadcast(F, 5);
    FloatVector f = FloatVector.broadcast(F, 6);
    FloatVector g = FloatVector.broadcast(F, 7);
    FloatVector h = FloatVector.broadcast(F, 8);
    FloatVector i = FloatVector.broadcast(F, 9);
    FloatVector j = FloatVector.broadcast(F, 10);
    for (int round = 0; round < rounds; round++) {
      a = a.fma(half, one);
      b = b.fma(half, one);
      c = c.fma(half, one);
      d = d.fma(half, one);
      e = e.fma(half, one);
      f = f.fma(half, one);
      g = g.fma(half, one);
      h = h.fma(half, one);
      i = i.fma(half, one);
      j = j.fma(half, one);
    }
    FloatVector sum = a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j);
    return sum.reduceLanes(VectorOperators.ADD);
  }
}
