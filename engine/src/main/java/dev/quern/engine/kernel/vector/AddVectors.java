package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Scaling, adding and rotating by whole vectors; each returns how many elements it did. */
final class AddVectors {
  private static final VectorSpecies<Float> F = Shapes.F;

  private AddVectors() {}

  static int scale(MemorySegment x, long offset, int n, float factor) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector.fromMemorySegment(F, x, offset + 4L * i, LE)
          .mul(factor)
          .intoMemorySegment(x, offset + 4L * i, LE);
    }
    return i;
  }

  static int add(
      MemorySegment x, long xOffset, int n, float factor, MemorySegment target, long targetOffset) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector product = FloatVector.fromMemorySegment(F, x, xOffset + 4L * i, LE).mul(factor);
      FloatVector.fromMemorySegment(F, target, targetOffset + 4L * i, LE)
          .add(product)
          .intoMemorySegment(target, targetOffset + 4L * i, LE);
    }
    return i;
  }

  static int rotate(MemorySegment x, long offset, int n, MemorySegment angles, long anglesOffset) {
    long second = offset + 4L * n;
    long sines = anglesOffset + 4L * n;
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector cos = FloatVector.fromMemorySegment(F, angles, anglesOffset + 4L * i, LE);
      FloatVector sin = FloatVector.fromMemorySegment(F, angles, sines + 4L * i, LE);
      FloatVector a = FloatVector.fromMemorySegment(F, x, offset + 4L * i, LE);
      FloatVector b = FloatVector.fromMemorySegment(F, x, second + 4L * i, LE);
      a.mul(cos).sub(b.mul(sin)).intoMemorySegment(x, offset + 4L * i, LE);
      b.mul(cos).add(a.mul(sin)).intoMemorySegment(x, second + 4L * i, LE);
    }
    return i;
  }
}
