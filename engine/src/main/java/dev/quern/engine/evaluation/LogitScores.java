package dev.quern.engine.evaluation;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Scores of predictions, a row of logits each. With p the softmax of a row x:
 *
 * <pre>
 *   loss        -ln p[t]                       t the token that came
 *   divergence  sum(p[i] (ln p[i] - ln q[i]))  p of the source, q of the other model
 *   agrees      argmax(p) == argmax(q)         the first of equal ones
 * </pre>
 *
 * <p>The law: {@code e[i] = exp(x[i] - max)} in binary32 with {@code DecoderMath}'s exp; {@code Z}
 * their sum in binary64, element i in lane {@code i % 4}, lanes added in halves; {@code ln p[i] =
 * (x[i] - max) - ln Z}, binary64 with {@code StrictMath}; the sum of a divergence as that of Z,
 * divided by Z.
 */
public final class LogitScores implements AutoCloseable {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Below this many logits, starting threads costs more than they save. */
  private static final long WORTH_THREADS = 100_000;

  /**
   * Scores of some predictions of two models; arrays of one length.
   *
   * @param agrees 1 where the most likely token is the same, else 0
   */
  public record Comparison(
      double[] loss, double[] sourceLoss, double[] divergence, double[] agrees) {
    /** Room for so many predictions. */
    public Comparison(int predictions) {
      this(
          new double[predictions],
          new double[predictions],
          new double[predictions],
          new double[predictions]);
    }
  }

  private final DecoderKernels kernels;
  private final Workers workers;
  private final Scratch[] scratch;

  /**
   * Computes on threads.
   *
   * @param workers not closed by this; null for the calling thread
   */
  public LogitScores(Kernels kernels, Workers workers) {
    this.kernels = kernels.decoder();
    this.workers = workers;
    scratch = new Scratch[workers == null ? 1 : workers.threads()];
    for (int i = 0; i < scratch.length; i++) {
      scratch[i] = new Scratch();
    }
  }

  /** A row of logits as a distribution. */
  private final class Distribution {
    final FloatMatrix logits;
    final long row;
    final MemorySegment numerators;
    final float max;
    final int argMax;
    final double sum;
    final double logSum;

    Distribution(FloatMatrix logits, int row, MemorySegment numerators) {
      this.logits = logits;
      this.row = logits.offset(row, 0);
      this.numerators = numerators;
      int n = logits.columns();
      int best = 0;
      for (int i = 1; i < n; i++) {
        if (logit(i) > logit(best)) {
          best = i;
        }
      }
      argMax = best;
      max = logit(best);
      MemorySegment.copy(logits.data(), this.row, numerators, 0, 4L * n);
      kernels.exponentials(numerators, 0, n);
      double[] lanes = new double[4];
      for (int i = 0; i < n; i++) {
        lanes[i & 3] += numerators.get(FLOAT, 4L * i);
      }
      sum = total(lanes);
      logSum = StrictMath.log(sum);
    }

    float logit(int i) {
      return logits.data().get(FLOAT, row + 4L * i);
    }

    double logProbability(int i) {
      return ((double) logit(i) - max) - logSum;
    }

    double divergenceTo(Distribution other) {
      int n = logits.columns();
      double shift = (other.max + other.logSum) - (max + logSum);
      double[] lanes = new double[4];
      for (int i = 0; i < n; i++) {
        double difference = ((double) logit(i) - other.logit(i)) + shift;
        lanes[i & 3] += numerators.get(FLOAT, 4L * i) * difference;
      }
      return total(lanes) / sum;
    }
  }

  private static double total(double[] lanes) {
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
  }

  /**
   * Scores predictions by the tokens that came.
   *
   * @param logits [predictions, vocabulary]
   * @param tokens what came
   * @param first where the first row's token and score stand
   */
  public void score(FloatMatrix logits, int[] tokens, int first, double[] loss) {
    rows(
        logits,
        1,
        (row, worker) -> {
          MemorySegment room = scratch[worker].atLeast(4L * logits.columns());
          Distribution found = new Distribution(logits, row, room);
          loss[first + row] = -found.logProbability(tokens[first + row]);
        });
  }

  /**
   * Scores predictions by the tokens that came and by another model's.
   *
   * @param logits [predictions, vocabulary]
   * @param source the same of the model that is the measure
   * @param tokens what came
   * @param first where the first row's token and scores stand
   */
  public void compare(
      FloatMatrix logits, FloatMatrix source, int[] tokens, int first, Comparison scores) {
    if (source.rows() != logits.rows() || source.columns() != logits.columns()) {
      throw new IllegalArgumentException("logits of two shapes");
    }
    long bytes = 4L * logits.columns();
    rows(
        logits,
        2,
        (row, worker) -> {
          MemorySegment room = scratch[worker].atLeast(2 * bytes);
          Distribution p = new Distribution(source, row, room.asSlice(0, bytes));
          Distribution q = new Distribution(logits, row, room.asSlice(bytes, bytes));
          int at = first + row;
          scores.loss()[at] = -q.logProbability(tokens[at]);
          scores.sourceLoss()[at] = -p.logProbability(tokens[at]);
          scores.divergence()[at] = p.divergenceTo(q);
          scores.agrees()[at] = p.argMax == q.argMax ? 1 : 0;
        });
  }

  private void rows(FloatMatrix logits, int models, Tasks.Task row) {
    long work = (long) models * logits.rows() * logits.columns();
    Tasks.runHereOrOn(workers, logits.rows(), work >= WORTH_THREADS, "an evaluation", row);
  }

  @Override
  public void close() {
    for (Scratch each : scratch) {
      each.close();
    }
  }
}
