package dev.quern.engine.model;

import dev.quern.engine.linalg.FloatMatrix;
import java.lang.foreign.Arena;
import java.util.Arrays;

/**
 * Cosines, and behind them sines, of each position from 0 on. There are more rows than were asked
 * for, so that a sequence that grows does not need a table for each token.
 */
final class RopeTable implements AutoCloseable {
  private static final int ROWS = 256;

  private final RopeSpec spec;
  private final float[] frequencies;
  private final Arena arena = Arena.ofShared();
  private final FloatMatrix angles;

  RopeTable(RopeSpec spec, int tokens) {
    this.spec = spec;
    this.frequencies = spec.frequencies(tokens);
    int pairs = frequencies.length;
    int rows = Math.ceilDiv(tokens, ROWS) * ROWS;
    angles = FloatMatrix.allocate(arena, rows, 2 * pairs);
    double factor = spec.attentionFactor();
    for (int position = 0; position < rows; position++) {
      for (int i = 0; i < pairs; i++) {
        float angle = position * frequencies[i];
        angles.set(position, i, (float) (StrictMath.cos(angle) * factor));
        angles.set(position, pairs + i, (float) (StrictMath.sin(angle) * factor));
      }
    }
  }

  /** Whether this table serves a sequence of so many tokens. */
  boolean fits(int tokens) {
    return tokens <= angles.rows() && Arrays.equals(frequencies, spec.frequencies(tokens));
  }

  /** A row for each position. */
  FloatMatrix angles() {
    return angles;
  }

  /** How many pairs turn. */
  int pairs() {
    return frequencies.length;
  }

  @Override
  public void close() {
    arena.close();
  }
}
