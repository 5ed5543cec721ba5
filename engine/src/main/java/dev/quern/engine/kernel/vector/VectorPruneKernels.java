package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.DigitCounts;
import dev.quern.engine.kernel.PruneKernels;
import dev.quern.engine.kernel.ScalarPruneKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The SIMD provider for pruning: sends each operation, type and group to the loop that was written
 * for it. What is left of a row behind the last whole vector goes to the definition, and so do
 * groups of other sizes than 4 and 8.
 */
final class VectorPruneKernels implements PruneKernels {
  private final PruneKernels law = new ScalarPruneKernels();

  @Override
  public void scores(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float[] columnScales,
      MemorySegment scores,
      long scoresOffset) {
    int done =
        switch (type) {
          case BF16 ->
              PruneThresholdVectors.scoresBf16(
                  source, sourceOffset, n, columnScales, scores, scoresOffset);
          case F16 ->
              PruneThresholdVectors.scoresF16(
                  source, sourceOffset, n, columnScales, scores, scoresOffset);
          case F32 ->
              PruneThresholdVectors.scoresF32(
                  source, sourceOffset, n, columnScales, scores, scoresOffset);
        };
    for (int i = done; i < n; i++) {
      float weight = type.load(source, sourceOffset + (long) i * type.bytes());
      float score = ScalarPruneKernels.score(weight, columnScales[i]);
      FloatType.F32.store(scores, scoresOffset + 4L * i, score);
    }
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
    ScalarPruneKernels.requireWholeGroups(n, prune, groupSize);
    if (type == FloatType.F32) {
      pruneGroupsByScore(
          type,
          source,
          sourceOffset,
          source,
          sourceOffset,
          n,
          prune,
          groupSize,
          target,
          targetOffset);
      return;
    }
    int done =
        switch (groupSize) {
          case 4 ->
              PruneGroupVectors.fourShorts(source, sourceOffset, n, prune, target, targetOffset);
          case 8 ->
              PruneGroupVectors.eightShorts(source, sourceOffset, n, prune, target, targetOffset);
          default -> 0;
        };
    if (done < n) {
      long bytes = (long) done * type.bytes();
      law.pruneGroups(
          type,
          source,
          sourceOffset + bytes,
          n - done,
          prune,
          groupSize,
          target,
          targetOffset + bytes);
    }
  }

  @Override
  public void pruneGroupsByScore(
      FloatType type,
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int prune,
      int groupSize,
      MemorySegment target,
      long to) {
    ScalarPruneKernels.requireWholeGroups(n, prune, groupSize);
    int done = 0;
    if (type == FloatType.F32) {
      if (groupSize == 4) {
        done = PruneGroupVectors.fourInts(source, from, scores, scoresFrom, n, prune, target, to);
      } else if (groupSize == 8) {
        done = PruneGroupVectors.eightInts(source, from, scores, scoresFrom, n, prune, target, to);
      }
    } else if (groupSize == 4) {
      done =
          PruneGroupVectors.fourShortsByScore(
              source, from, scores, scoresFrom, n, prune, target, to);
    } else if (groupSize == 8) {
      done =
          PruneGroupVectors.eightShortsByScore(
              source, from, scores, scoresFrom, n, prune, target, to);
    }
    if (done < n) {
      long bytes = (long) done * type.bytes();
      law.pruneGroupsByScore(
          type,
          source,
          from + bytes,
          scores,
          scoresFrom + 4L * done,
          n - done,
          prune,
          groupSize,
          target,
          to + bytes);
    }
  }

  @Override
  public void pruneBelow(
      FloatType type,
      MemorySegment source,
      long from,
      int n,
      int threshold,
      MemorySegment target,
      long to) {
    if (type == FloatType.F32) {
      pruneBelowByScore(type, source, from, source, from, n, threshold, target, to);
      return;
    }
    int done = PruneThresholdVectors.shorts(source, from, n, threshold, target, to);
    long bytes = (long) done * type.bytes();
    law.pruneBelow(type, source, from + bytes, n - done, threshold, target, to + bytes);
  }

  @Override
  public void pruneBelowByScore(
      FloatType type,
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int threshold,
      MemorySegment target,
      long to) {
    int done =
        type == FloatType.F32
            ? PruneThresholdVectors.ints(source, from, scores, scoresFrom, n, threshold, target, to)
            : PruneThresholdVectors.shortsByScore(
                source, from, scores, scoresFrom, n, threshold, target, to);
    long bytes = (long) done * type.bytes();
    law.pruneBelowByScore(
        type,
        source,
        from + bytes,
        scores,
        scoresFrom + 4L * done,
        n - done,
        threshold,
        target,
        to + bytes);
  }

  @Override
  public int countEqual(
      FloatType type, MemorySegment source, long sourceOffset, int n, int magnitude) {
    return type == FloatType.F32
        ? PruneThresholdVectors.countInts(source, sourceOffset, n, magnitude)
        : PruneThresholdVectors.countShorts(source, sourceOffset, n, magnitude);
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
    DigitCounts.add(type, source, sourceOffset, n, shift, digitBits, prefix, counts);
  }
}
