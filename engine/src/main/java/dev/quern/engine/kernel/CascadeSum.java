package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.util.Arrays;

/**
 * A sum of binary32 numbers in the order in which PyTorch adds up the last dimension of a tensor on
 * a CPU. Files depend on it: an observer compares such sums.
 *
 * <p>PyTorch's {@code sum} has vectors of 256 bits on any x86 CPU, so of 8 binary32 numbers, or of
 * 16 of half precision, whose upper half is added to the lower one when they are widened.
 *
 * <pre>
 *   row      4 vectors; each lane of each adds to one of 32 accumulators
 *   level 0  16 rows (more when there are over 2^19), then added to level 1 and cleared
 *   level 1  16 times level 0, and so on for 4 levels
 *   end      levels 0 + 1 + 2 + 3; vectors that fill no row, to the first accumulator vector;
 *            the 4 accumulator vectors, one after the other;
 *            numbers that fill no vector, one after the other; then the 8 lanes
 * </pre>
 *
 * <p>Less than one vector of numbers is added as rows of 4 scalars in the same way. Source: PyTorch
 * 2.13, {@code aten/src/ATen/native/cpu/SumKernel.cpp}, {@code cascade_sum}; with one thread, or
 * more than one sum, which is when no sum is split between threads.
 */
public final class CascadeSum {
  private static final int LANES = 8;
  private static final int UNROLL = 4;
  private static final int LEVELS = 4;

  /** Accumulators of one level. */
  public static final int ACCUMULATORS = UNROLL * LANES;

  /** An empty sum. */
  public CascadeSum() {}

  private final float[] levels = new float[LEVELS * ACCUMULATORS];
  private final float[] row = new float[2 * ACCUMULATORS];
  private boolean half;
  private int lanes;
  private int vector;
  private int rowLength;
  private long rows;
  private long done;
  private int filled;
  private int power;

  /**
   * Starts a sum.
   *
   * @param type of the tensor
   * @param n numbers that will be added
   */
  public void begin(FloatType type, long n) {
    int full = type.bytes() == 2 ? 2 * LANES : LANES;
    boolean scalar = n < full;
    half = type.bytes() == 2 && !scalar;
    lanes = scalar ? 1 : LANES;
    vector = scalar ? 1 : full;
    rowLength = UNROLL * vector;
    rows = n / rowLength;
    int log = rows <= 2 ? 1 : Long.SIZE - Long.numberOfLeadingZeros(rows - 1);
    power = Math.max(4, log / LEVELS);
    done = 0;
    filled = 0;
    Arrays.fill(levels, 0);
  }

  /** Adds the next number. */
  public void add(float term) {
    row[filled++] = term;
    if (filled == rowLength && done < rows) {
      addRow();
    }
  }

  /** Rows that make a chunk, after which level 0 is added to level 1. */
  public int chunkRows() {
    return 1 << power;
  }

  /**
   * Rows whose numbers fill all four vectors; whatever is added after them goes by {@link #add}.
   */
  public long wholeRows() {
    return lanes == 1 ? 0 : rows;
  }

  /**
   * Adds the sums of whole rows, one for each accumulator: a chunk, or what is left of whole rows
   * after the last chunk.
   *
   * @param sums the row's accumulators as they are after the chunk, having begun with nothing
   */
  public void addChunk(float[] sums, int chunkRows) {
    System.arraycopy(sums, 0, levels, 0, ACCUMULATORS);
    done += chunkRows;
    if (chunkRows == chunkRows()) {
      cascade();
    }
  }

  private void addRow() {
    for (int k = 0; k < UNROLL; k++) {
      for (int lane = 0; lane < lanes; lane++) {
        levels[k * lanes + lane] += widened(k, lane);
      }
    }
    filled = 0;
    done++;
    if ((done & ((1L << power) - 1)) == 0) {
      cascade();
    }
  }

  private float widened(int vectorIndex, int lane) {
    int at = vectorIndex * vector + lane;
    return half ? row[at] + row[at + LANES] : row[at];
  }

  private void cascade() {
    for (int level = 1; level < LEVELS; level++) {
      int at = level * ACCUMULATORS;
      for (int i = 0; i < ACCUMULATORS; i++) {
        levels[at + i] += levels[at - ACCUMULATORS + i];
        levels[at - ACCUMULATORS + i] = 0;
      }
      if ((done >>> (level * power) & ((1L << power) - 1)) != 0) {
        return;
      }
    }
  }

  /** The sum, in binary32. */
  public float end() {
    boolean cascaded = done >= chunkRows(); // if not, the upper levels hold nothing
    for (int level = 1; cascaded && level < LEVELS; level++) {
      for (int i = 0; i < ACCUMULATORS; i++) {
        levels[i] += levels[level * ACCUMULATORS + i];
      }
    }
    int vectors = filled / vector;
    for (int k = 0; k < vectors; k++) {
      for (int lane = 0; lane < lanes; lane++) {
        levels[lane] += widened(k, lane);
      }
    }
    for (int k = 1; k < UNROLL; k++) {
      for (int lane = 0; lane < lanes; lane++) {
        levels[lane] += levels[k * lanes + lane];
      }
    }
    float sum = 0;
    for (int i = vectors * vector; i < filled; i++) {
      sum += row[i];
    }
    for (int lane = 0; lane < lanes; lane++) {
      sum += levels[lane];
    }
    return sum;
  }
}
