package dev.quern.engine.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LogitScoresTest {
  private static final int ROWS = 40;
  private static final int VOCABULARY = 3001;

  private final SplittableRandom random = new SplittableRandom(7);

  private FloatMatrix logits(Arena arena, double spread) {
    FloatMatrix logits = FloatMatrix.allocate(arena, ROWS, VOCABULARY);
    for (int row = 0; row < ROWS; row++) {
      for (int i = 0; i < VOCABULARY; i++) {
        logits.set(row, i, (float) (random.nextGaussian() * spread + row));
      }
    }
    return logits;
  }

  private static FloatMatrix near(Arena arena, FloatMatrix logits, SplittableRandom random) {
    FloatMatrix other = FloatMatrix.allocate(arena, ROWS, VOCABULARY);
    for (int row = 0; row < ROWS; row++) {
      for (int i = 0; i < VOCABULARY; i++) {
        other.set(row, i, logits.get(row, i) + (float) random.nextGaussian() * 0.1f - 3);
      }
    }
    return other;
  }

  private static double[] logSoftmax(FloatMatrix logits, int row) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < logits.columns(); i++) {
      max = Math.max(max, logits.get(row, i));
    }
    double sum = 0;
    for (int i = 0; i < logits.columns(); i++) {
      sum += Math.exp(logits.get(row, i) - max);
    }
    double[] result = new double[logits.columns()];
    for (int i = 0; i < result.length; i++) {
      result[i] = logits.get(row, i) - max - Math.log(sum);
    }
    return result;
  }

  private int[] tokens() {
    return random.ints(ROWS, 0, VOCABULARY).toArray();
  }

  @Test
  void scoresAreThoseOfTheDefinition() {
    try (Arena arena = Arena.ofShared();
        LogitScores scores = new LogitScores(Kernels.best(), null)) {
      FloatMatrix source = logits(arena, 4);
      FloatMatrix logits = near(arena, source, random);
      int[] tokens = tokens();
      LogitScores.Comparison found = new LogitScores.Comparison(ROWS);
      scores.compare(logits, source, tokens, 0, found);
      for (int row = 0; row < ROWS; row++) {
        double[] p = logSoftmax(source, row);
        double[] q = logSoftmax(logits, row);
        double divergence = 0;
        int best = 0;
        int bestOther = 0;
        for (int i = 0; i < p.length; i++) {
          divergence += Math.exp(p[i]) * (p[i] - q[i]);
          best = p[i] > p[best] ? i : best;
          bestOther = q[i] > q[bestOther] ? i : bestOther;
        }
        assertThat(found.sourceLoss()[row]).isCloseTo(-p[tokens[row]], within(1e-6));
        assertThat(found.loss()[row]).isCloseTo(-q[tokens[row]], within(1e-6));
        assertThat(found.divergence()[row]).isCloseTo(divergence, within(1e-6));
        assertThat(found.agrees()[row]).isEqualTo(best == bestOther ? 1 : 0);
      }
      assertThat(Arrays.stream(found.agrees()).sum()).isBetween(1.0, ROWS - 1.0);
    }
  }

  @Test
  void threadsAndKernelsChangeNoBit() {
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(3);
        LogitScores law = new LogitScores(new ScalarKernels(), null);
        LogitScores plain = new LogitScores(KernelChoice.withoutVectors(), workers);
        LogitScores best = new LogitScores(Kernels.best(), workers)) {
      FloatMatrix source = logits(arena, 4);
      FloatMatrix logits = near(arena, source, random);
      int[] tokens = tokens();
      LogitScores.Comparison expected = new LogitScores.Comparison(ROWS);
      law.compare(logits, source, tokens, 0, expected);
      for (LogitScores scores : new LogitScores[] {plain, best}) {
        LogitScores.Comparison found = new LogitScores.Comparison(ROWS);
        scores.compare(logits, source, tokens, 0, found);
        double[] loss = new double[ROWS];
        scores.score(logits, tokens, 0, loss);
        assertThat(found.loss()).isEqualTo(expected.loss());
        assertThat(loss).isEqualTo(expected.loss());
        assertThat(found.sourceLoss()).isEqualTo(expected.sourceLoss());
        assertThat(found.divergence()).isEqualTo(expected.divergence());
        assertThat(found.agrees()).isEqualTo(expected.agrees());
      }
    }
  }

  @Test
  void equalLogitsHaveNoDivergence() {
    try (Arena arena = Arena.ofShared();
        LogitScores scores = new LogitScores(Kernels.best(), null)) {
      FloatMatrix logits = logits(arena, 9);
      LogitScores.Comparison found = new LogitScores.Comparison(ROWS);
      scores.compare(logits, logits, tokens(), 0, found);
      assertThat(found.divergence()).containsOnly(0);
      assertThat(found.agrees()).containsOnly(1);
      assertThat(found.loss()).isEqualTo(found.sourceLoss());
    }
  }

  @Test
  void chunksGoWhereTheyBelong() {
    try (Arena arena = Arena.ofShared();
        LogitScores scores = new LogitScores(Kernels.best(), null)) {
      FloatMatrix logits = logits(arena, 2);
      int[] tokens = tokens();
      double[] whole = new double[ROWS];
      scores.score(logits, tokens, 0, whole);
      double[] parts = new double[ROWS];
      scores.score(logits.view(0, 0, 13, VOCABULARY), tokens, 0, parts);
      scores.score(logits.view(13, 0, ROWS - 13, VOCABULARY), tokens, 13, parts);
      assertThat(parts).isEqualTo(whole);
    }
  }

  @Test
  void otherShapesAreRefused() {
    try (Arena arena = Arena.ofShared();
        LogitScores scores = new LogitScores(Kernels.best(), null)) {
      FloatMatrix logits = logits(arena, 2);
      FloatMatrix narrow = logits.view(0, 0, ROWS, VOCABULARY - 1);
      LogitScores.Comparison found = new LogitScores.Comparison(ROWS);
      assertThatThrownBy(() -> scores.compare(logits, narrow, tokens(), 0, found))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
