package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.MaskKernels;
import dev.quern.engine.kernel.ScalarMaskKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The SIMD provider for masks of columns; vectors run across rows. Comparisons are signs of
 * differences, as in {@link PruneGroupVectors}. What is left behind the last whole vector goes to
 * the definition.
 */
final class VectorMaskKernels implements MaskKernels {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final VectorSpecies<Byte> B_QUARTER = Shapes.B_QUARTER;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  private static final int CANONICAL_NAN = 0x7FC0_0000;

  private final MaskKernels law = new ScalarMaskKernels();

  @Override
  public void scores(
      MemorySegment column,
      long columnOffset,
      int n,
      float pivot,
      MemorySegment scores,
      long scoresOffset) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      IntVector score =
          FloatVector.fromMemorySegment(F, column, columnOffset + 4L * i, LE)
              .abs()
              .div(pivot)
              .reinterpretAsInts();
      VectorMask<Integer> nan = score.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      score.max(1).blend(CANONICAL_NAN, nan).intoMemorySegment(scores, scoresOffset + 4L * i, LE);
    }
    law.scores(column, columnOffset + 4L * i, n - i, pivot, scores, scoresOffset + 4L * i);
  }

  @Override
  public void smallest(
      MemorySegment scores,
      long scoresOffset,
      long scoreStride,
      int columns,
      int n,
      int prune,
      MemorySegment mask,
      long maskOffset,
      long maskStride) {
    IntVector last = IntVector.broadcast(I, prune - 1);
    int done = I.loopBound(n);
    for (int j = 0; j < columns; j++) {
      long mineAt = scoresOffset + j * scoreStride;
      long maskAt = maskOffset + j * maskStride;
      for (int i = 0; i < done; i += I.length()) {
        IntVector mine = IntVector.fromMemorySegment(I, scores, mineAt + 4L * i, LE).and(MAGNITUDE);
        IntVector rank = IntVector.zero(I);
        long at = scoresOffset + 4L * i;
        for (int k = 0; k < columns; k++) {
          // Less one where ties are for the other; never against itself, which is no difference.
          int earlier = k < j ? 1 : 0;
          rank =
              IntVector.fromMemorySegment(I, scores, at + k * scoreStride, LE)
                  .and(MAGNITUDE)
                  .sub(mine)
                  .sub(earlier)
                  .lanewise(VectorOperators.ASHR, 31)
                  .add(rank);
        }
        ((ByteVector)
                last.add(rank)
                    .lanewise(VectorOperators.ASHR, 31)
                    .convertShape(VectorOperators.I2B, B_QUARTER, 0))
            .intoMemorySegment(mask, maskAt + i, LE);
      }
    }
    if (done < n) {
      law.smallest(
          scores,
          scoresOffset + 4L * done,
          scoreStride,
          columns,
          n - done,
          prune,
          mask,
          maskOffset + done,
          maskStride);
    }
  }

  @Override
  public void below(
      MemorySegment scores, long scoresOffset, int n, int threshold, MemorySegment mask, long to) {
    IntVector lowest = IntVector.broadcast(I, threshold - 1);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector score =
          IntVector.fromMemorySegment(I, scores, scoresOffset + 4L * i, LE).and(MAGNITUDE);
      ((ByteVector)
              lowest
                  .sub(score)
                  .lanewise(VectorOperators.ASHR, 31)
                  .convertShape(VectorOperators.I2B, B_QUARTER, 0))
          .intoMemorySegment(mask, to + i, LE);
    }
    law.below(scores, scoresOffset + 4L * i, n - i, threshold, mask, to + i);
  }

  @Override
  public void apply(
      MemorySegment column,
      long columnOffset,
      MemorySegment mask,
      long maskOffset,
      int n,
      MemorySegment target,
      long targetOffset) {
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector keep =
          (IntVector)
              ByteVector.fromMemorySegment(B_QUARTER, mask, maskOffset + i, LE)
                  .convertShape(VectorOperators.B2I, I, 0);
      IntVector.fromMemorySegment(I, column, columnOffset + 4L * i, LE)
          .and(keep)
          .intoMemorySegment(target, targetOffset + 4L * i, LE);
    }
    law.apply(
        column, columnOffset + 4L * i, mask, maskOffset + i, n - i, target, targetOffset + 4L * i);
  }
}
