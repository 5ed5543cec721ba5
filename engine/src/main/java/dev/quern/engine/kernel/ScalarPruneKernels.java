package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The definition of every operation that prunes: one obvious loop each.
 *
 * <p>Source: llm-compressor, {@code modifiers/pruning/wanda} for the scores; the order of ties is
 * that of its stable sort, and ours where it calls {@code torch.topk}, which has none.
 */
public class ScalarPruneKernels implements PruneKernels {
  /** The kernels have no state. */
  public ScalarPruneKernels() {}

  @Override
  public void scores(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float[] columnScales,
      MemorySegment scores,
      long scoresOffset) {
    for (int i = 0; i < n; i++) {
      float weight = type.load(source, sourceOffset + (long) i * type.bytes());
      FloatType.F32.store(scores, scoresOffset + 4L * i, score(weight, columnScales[i]));
    }
  }

  /** One element of {@link #scores}. */
  public static float score(float weight, float columnScale) {
    return ScalarKernels.canonical(Math.abs(weight) * columnScale);
  }

  @Override
  public void pruneGroups(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int prune,
      int groupSize,
      MemorySegment target,
      long targetOffset) {
    requireWholeGroups(n, prune, groupSize);
    for (int i = 0; i < n; i++) {
      int rank = rank(type, source, sourceOffset, i, groupSize);
      keepOrZero(type, source, sourceOffset, i, rank >= prune, target, targetOffset);
    }
  }

  @Override
  public void pruneGroupsByScore(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      MemorySegment scores,
      long scoresOffset,
      int n,
      int prune,
      int groupSize,
      MemorySegment target,
      long targetOffset) {
    requireWholeGroups(n, prune, groupSize);
    for (int i = 0; i < n; i++) {
      int rank = rank(FloatType.F32, scores, scoresOffset, i, groupSize);
      keepOrZero(type, source, sourceOffset, i, rank >= prune, target, targetOffset);
    }
  }

  /** Checks that a row has whole groups, and that no more is pruned than is there. */
  public static void requireWholeGroups(int n, int prune, int groupSize) {
    if (groupSize < 1 || prune < 0 || prune > groupSize || n % groupSize != 0) {
      throw new IllegalArgumentException(
          n + " elements, " + prune + " of each " + groupSize + " pruned: no whole groups");
    }
  }

  /** How many elements of its group are pruned before element {@code i}. */
  public static int rank(
      FloatType type, MemorySegment magnitudes, long offset, int i, int groupSize) {
    int mine = magnitude(type, magnitudes, offset, i);
    int begin = i - i % groupSize;
    int rank = 0;
    for (int other = begin; other < begin + groupSize; other++) {
      int theirs = magnitude(type, magnitudes, offset, other);
      rank += theirs < mine || (theirs == mine && other < i) ? 1 : 0;
    }
    return rank;
  }

  @Override
  public void pruneBelow(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int threshold,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i++) {
      boolean kept = magnitude(type, source, sourceOffset, i) > threshold - 1;
      keepOrZero(type, source, sourceOffset, i, kept, target, targetOffset);
    }
  }

  @Override
  public void pruneBelowByScore(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      MemorySegment scores,
      long scoresOffset,
      int n,
      int threshold,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i++) {
      boolean kept = magnitude(FloatType.F32, scores, scoresOffset, i) > threshold - 1;
      keepOrZero(type, source, sourceOffset, i, kept, target, targetOffset);
    }
  }

  /** Writes element {@code i} as it is, or as +0. */
  public static void keepOrZero(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int i,
      boolean kept,
      MemorySegment target,
      long targetOffset) {
    long at = (long) i * type.bytes();
    if (kept) {
      MemorySegment.copy(source, sourceOffset + at, target, targetOffset + at, type.bytes());
    } else {
      type.store(target, targetOffset + at, 0f);
    }
  }

  @Override
  public int countEqual(
      FloatType type, MemorySegment source, long sourceOffset, int n, int magnitude) {
    int count = 0;
    for (int i = 0; i < n; i++) {
      count += magnitude(type, source, sourceOffset, i) == magnitude ? 1 : 0;
    }
    return count;
  }

  @Override
  public void countDigits(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int shift,
      int digitBits,
      int prefix,
      int[] counts) {
    for (int i = 0; i < n; i++) {
      int digits = magnitude(type, source, sourceOffset, i) >>> shift;
      if (digits >>> digitBits == prefix) {
        counts[digits & ((1 << digitBits) - 1)]++;
      }
    }
  }

  private static int magnitude(FloatType type, MemorySegment source, long offset, int i) {
    return type.loadBits(source, offset + (long) i * type.bytes()) & type.signlessMask();
  }
}
