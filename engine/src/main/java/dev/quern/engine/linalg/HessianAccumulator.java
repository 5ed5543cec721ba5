package dev.quern.engine.linalg;

import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * Sums up {@code H = Σ x xᵀ} over the inputs x of a layer, token after token.
 *
 * <p>The law: tokens go in chunks of {@link #CHUNK_TOKENS}, counted from the first one, the last
 * chunk being shorter. In a chunk each element is a chain of fused multiply-adds from +0, tokens
 * ascending, in binary32. Chunks are added up in order in two floats, a sum and what its roundings
 * lost. So the result does not depend on how callers cut the tokens into batches.
 *
 * <p>Error of an element against the exact sum over T tokens, with {@code u = 2^-24}: at most
 * {@code (γ(CHUNK_TOKENS) + 2 u + 2 m² u²) Σ|x_i| |x_j|} for m chunks, before the last rounding; a
 * plain sum has γ(T).
 *
 * <p>Memory: {@link #bytes}. One thread at a time.
 */
public final class HessianAccumulator {
  /** Tokens that are summed before they are added to the rest. */
  public static final int CHUNK_TOKENS = 1024;

  private final Workspace workspace;
  private final FloatType type;
  private final int features;
  private final Product.CompensatedSum sum;
  private final MemorySegment waiting;
  private int waitingTokens;
  private long tokens;
  private boolean finished;

  /**
   * A sum over no tokens.
   *
   * @param arena owns the memory
   * @param type of the inputs
   * @param features length of an input: H is [features, features]
   */
  public HessianAccumulator(Arena arena, Workspace workspace, FloatType type, int features) {
    if (features < 1) {
      throw new IllegalArgumentException(features + " features; at least 1 expected");
    }
    this.workspace = workspace;
    this.type = type;
    this.features = features;
    // One column more than H has: sums lie below the diagonal and on it, and behind it what their
    // roundings lost.
    sum = new Product.CompensatedSum(FloatMatrix.allocate(arena, features, features + 1));
    waiting = NativeMemory.allocate(arena, chunkBytes(type, features));
  }

  private static long chunkBytes(FloatType type, int features) {
    return (long) CHUNK_TOKENS * features * type.bytes();
  }

  /** How many tokens were added. */
  public long tokens() {
    return tokens;
  }

  /**
   * Adds tokens.
   *
   * @param x [tokens, features] of the accumulator's type, row-major
   */
  public void add(MatrixOperand x) {
    requireOpen();
    if (x.type() != type || x.columns() != features || x.columnStride() != 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "inputs of type %s and shape %s, columns %d apart; %s and [tokens, %d] with"
                  + " contiguous rows expected",
              x.type(),
              x.shape(),
              x.columnStride(),
              type,
              features));
    }
    long rowBytes = (long) features * type.bytes();
    int row = 0;
    while (row < x.rows()) {
      int left = x.rows() - row;
      if (waitingTokens == 0 && left >= CHUNK_TOKENS) {
        Product.accumulate(workspace, x.view(row, 0, CHUNK_TOKENS, features), sum);
        row += CHUNK_TOKENS;
        continue;
      }
      int n = Math.min(left, CHUNK_TOKENS - waitingTokens);
      for (int i = 0; i < n; i++) {
        long from = (row + i) * x.rowStride() * type.bytes();
        MemorySegment.copy(x.data(), from, waiting, (waitingTokens + i) * rowBytes, rowBytes);
      }
      waitingTokens += n;
      row += n;
      if (waitingTokens == CHUNK_TOKENS) {
        flush();
      }
    }
    tokens += x.rows();
  }

  private void flush() {
    if (waitingTokens > 0) {
      MatrixOperand chunk = MatrixOperand.of(type, waiting, waitingTokens, features);
      Product.accumulate(workspace, chunk, sum);
      waitingTokens = 0;
    }
  }

  /**
   * Ends the sum.
   *
   * @param scale what every element is multiplied by, such as 2 / tokens
   * @return H in the lower triangle, {@code (float) ((sum + lost) * scale)} computed in binary64;
   *     what the upper one holds is arbitrary. It lives in the accumulator's arena
   * @throws IllegalArgumentException when an input held NaN or infinity, or squares overflow
   */
  public FloatMatrix finish(double scale) {
    requireOpen();
    flush();
    finished = true;
    FloatMatrix sums = sum.sums();
    MemorySegment data = sums.data();
    int last = features - 1;
    FloatMatrix h = sums.view(0, 0, features, features);
    for (int i = 0; i < features; i++) {
      float total = h.get(i, i);
      if (!(total < Float.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "the squares of input feature %d add up to %s over %d tokens: its values are not"
                    + " finite, or too large for binary32",
                i,
                total,
                tokens));
      }
    }
    workspace.run(
        features,
        4.0 * features * features,
        (r, _) -> {
          long at = sums.offset(r, 0);
          long lost = sums.offset(last - r, last - r + 1);
          for (int c = 0; c <= r; c++) {
            double exact = (double) FloatType.F32.load(data, at + 4L * c);
            exact += FloatType.F32.load(data, lost + 4L * c);
            FloatType.F32.store(data, at + 4L * c, (float) (exact * scale));
          }
        });
    return h;
  }

  private void requireOpen() {
    if (finished) {
      throw new IllegalStateException("this sum was finished; begin another one");
    }
  }
}
