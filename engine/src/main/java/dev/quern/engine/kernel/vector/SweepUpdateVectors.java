package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.annotation.SuppressForbidden;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Errors of columns added to the columns behind them, and their squares.
 *
 * <p>A tile of two vectors of rows by four columns remains in registers while {@code k} ascends.
 * The order of additions to an element is the law's, whatever the tile.
 */
final class SweepUpdateVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int BYTES = F.length() * Float.BYTES;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private SweepUpdateVectors() {}

  /** Four columns, by whole vectors of rows. */
  static void four(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment factors,
      long factorsOffset,
      long factorStride,
      MemorySegment target,
      long targetOffset,
      long targetStride,
      int vectors) {
    int v = 0;
    for (; v + 2 <= vectors; v += 2) {
      long e = errorsOffset + (long) v * BYTES;
      long w = targetOffset + (long) v * BYTES;
      fourByTwo(
          errors,
          e,
          errorStride,
          depth,
          factors,
          factorsOffset,
          factorStride,
          target,
          w,
          targetStride);
    }
    for (; v < vectors; v++) {
      for (int j = 0; j < 4; j++) {
        long e = errorsOffset + (long) v * BYTES;
        long w = targetOffset + j * targetStride + (long) v * BYTES;
        oneByOne(
            errors,
            e,
            errorStride,
            depth,
            factors,
            factorsOffset + 4L * j,
            factorStride,
            target,
            w);
      }
    }
  }

  /** One column, by whole vectors of rows. */
  static void one(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment factors,
      long factorsOffset,
      long factorStride,
      MemorySegment target,
      long targetOffset,
      int vectors) {
    for (int v = 0; v < vectors; v++) {
      long at = (long) v * BYTES;
      oneByOne(
          errors,
          errorsOffset + at,
          errorStride,
          depth,
          factors,
          factorsOffset,
          factorStride,
          target,
          targetOffset + at);
    }
  }

  @SuppressForbidden(reason = "the law of matrix products is defined with fma")
  private static void fourByTwo(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment factors,
      long factorsOffset,
      long factorStride,
      MemorySegment target,
      long targetOffset,
      long targetStride) {
    long w0 = targetOffset;
    long w1 = w0 + targetStride;
    long w2 = w1 + targetStride;
    long w3 = w2 + targetStride;
    FloatVector c00 = FloatVector.fromMemorySegment(F, target, w0, LE);
    FloatVector c01 = FloatVector.fromMemorySegment(F, target, w0 + BYTES, LE);
    FloatVector c10 = FloatVector.fromMemorySegment(F, target, w1, LE);
    FloatVector c11 = FloatVector.fromMemorySegment(F, target, w1 + BYTES, LE);
    FloatVector c20 = FloatVector.fromMemorySegment(F, target, w2, LE);
    FloatVector c21 = FloatVector.fromMemorySegment(F, target, w2 + BYTES, LE);
    FloatVector c30 = FloatVector.fromMemorySegment(F, target, w3, LE);
    FloatVector c31 = FloatVector.fromMemorySegment(F, target, w3 + BYTES, LE);
    for (int k = 0; k < depth; k++) {
      long at = errorsOffset + k * errorStride;
      long u = factorsOffset + k * factorStride;
      FloatVector e0 = FloatVector.fromMemorySegment(F, errors, at, LE);
      FloatVector e1 = FloatVector.fromMemorySegment(F, errors, at + BYTES, LE);
      FloatVector u0 = FloatVector.broadcast(F, factors.get(FLOAT, u));
      c00 = e0.fma(u0, c00);
      c01 = e1.fma(u0, c01);
      FloatVector u1 = FloatVector.broadcast(F, factors.get(FLOAT, u + 4));
      c10 = e0.fma(u1, c10);
      c11 = e1.fma(u1, c11);
      FloatVector u2 = FloatVector.broadcast(F, factors.get(FLOAT, u + 8));
      c20 = e0.fma(u2, c20);
      c21 = e1.fma(u2, c21);
      FloatVector u3 = FloatVector.broadcast(F, factors.get(FLOAT, u + 12));
      c30 = e0.fma(u3, c30);
      c31 = e1.fma(u3, c31);
    }
    c00.intoMemorySegment(target, w0, LE);
    c01.intoMemorySegment(target, w0 + BYTES, LE);
    c10.intoMemorySegment(target, w1, LE);
    c11.intoMemorySegment(target, w1 + BYTES, LE);
    c20.intoMemorySegment(target, w2, LE);
    c21.intoMemorySegment(target, w2 + BYTES, LE);
    c30.intoMemorySegment(target, w3, LE);
    c31.intoMemorySegment(target, w3 + BYTES, LE);
  }

  @SuppressForbidden(reason = "the law of matrix products is defined with fma")
  private static void oneByOne(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment factors,
      long factorsOffset,
      long factorStride,
      MemorySegment target,
      long targetOffset) {
    FloatVector c = FloatVector.fromMemorySegment(F, target, targetOffset, LE);
    for (int k = 0; k < depth; k++) {
      FloatVector e = FloatVector.fromMemorySegment(F, errors, errorsOffset + k * errorStride, LE);
      c = e.fma(FloatVector.broadcast(F, factors.get(FLOAT, factorsOffset + k * factorStride)), c);
    }
    c.intoMemorySegment(target, targetOffset, LE);
  }

  /** Whole vectors of rows. */
  @SuppressForbidden(reason = "the law of matrix products is defined with fma")
  static void squares(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment sums,
      long sumsOffset,
      int vectors) {
    for (int v = 0; v < vectors; v++) {
      long at = (long) v * BYTES;
      FloatVector sum = FloatVector.fromMemorySegment(F, sums, sumsOffset + at, LE);
      for (int k = 0; k < depth; k++) {
        FloatVector e =
            FloatVector.fromMemorySegment(F, errors, errorsOffset + at + k * errorStride, LE);
        sum = e.fma(e, sum);
      }
      sum.intoMemorySegment(sums, sumsOffset + at, LE);
    }
  }

  /** The element is {@code (stored - x) / pivot}; returns how many were done. */
  static int errors(
      MemorySegment stored,
      long storedOffset,
      MemorySegment column,
      long columnOffset,
      int n,
      float pivot,
      MemorySegment errors,
      long errorsOffset) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector q = FloatVector.fromMemorySegment(F, stored, storedOffset + 4L * i, LE);
      FloatVector x = FloatVector.fromMemorySegment(F, column, columnOffset + 4L * i, LE);
      q.sub(x).div(pivot).intoMemorySegment(errors, errorsOffset + 4L * i, LE);
    }
    return i;
  }
}
