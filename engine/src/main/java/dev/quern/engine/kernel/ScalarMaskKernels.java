package dev.quern.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The definition of {@link MaskKernels}: one obvious loop each.
 *
 * <p>Source: Frantar and Alistarh, "SparseGPT", arXiv:2301.00774, for the scores.
 */
public final class ScalarMaskKernels implements MaskKernels {
  private static final FloatType F32 = FloatType.F32;
  private static final byte PRUNED = 0;
  private static final byte KEPT = -1;

  /** The kernels have no state. */
  public ScalarMaskKernels() {}

  @Override
  public void scores(
      MemorySegment column,
      long columnOffset,
      int n,
      float pivot,
      MemorySegment scores,
      long scoresOffset) {
    for (int i = 0; i < n; i++) {
      float weight = F32.load(column, columnOffset + 4L * i);
      float score = ScalarKernels.canonical(Math.abs(weight) / pivot);
      F32.store(scores, scoresOffset + 4L * i, score == 0 ? Float.MIN_VALUE : score);
    }
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
    for (int j = 0; j < columns; j++) {
      for (int i = 0; i < n; i++) {
        int mine = magnitude(scores, scoresOffset + j * scoreStride, i);
        int rank = 0;
        for (int k = 0; k < columns; k++) {
          int other = magnitude(scores, scoresOffset + k * scoreStride, i);
          rank += other < mine || (other == mine && k < j) ? 1 : 0;
        }
        mask.set(JAVA_BYTE, maskOffset + j * maskStride + i, rank < prune ? PRUNED : KEPT);
      }
    }
  }

  @Override
  public void below(
      MemorySegment scores, long scoresOffset, int n, int threshold, MemorySegment mask, long to) {
    for (int i = 0; i < n; i++) {
      boolean kept = magnitude(scores, scoresOffset, i) > threshold - 1;
      mask.set(JAVA_BYTE, to + i, kept ? KEPT : PRUNED);
    }
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
    for (int i = 0; i < n; i++) {
      int bits = F32.loadBits(column, columnOffset + 4L * i);
      int kept = bits & mask.get(JAVA_BYTE, maskOffset + i);
      F32.store(target, targetOffset + 4L * i, Float.intBitsToFloat(kept));
    }
  }

  private static int magnitude(MemorySegment scores, long offset, int i) {
    return F32.loadBits(scores, offset + 4L * i) & F32.signlessMask();
  }
}
