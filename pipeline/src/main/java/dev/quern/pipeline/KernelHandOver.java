package dev.quern.pipeline;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.parallel.Workers;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Which kernels a piece of work shall use: plain loops first, vector loops from the moment on at
 * which they are faster.
 *
 * <p>A vector loop that C2 has not compiled yet runs some thousand times slower than compiled, and
 * slower than a plain loop. So, while the other workers begin with plain loops, one worker runs the
 * same small piece of real work with both, in turn, until the vector loops win: then everybody
 * changes over. The results are the same, whoever computes them; only this piece is computed more
 * than once.
 *
 * <p>Small jobs stay with plain loops, because they would be done before the compiler is.
 */
final class KernelHandOver {
  /** A small piece of the real work on a tensor, whose result nobody keeps. */
  interface Rehearsal {
    void run(PlannedTensor tensor, Kernels kernels, int worker) throws Exception;
  }

  // Compiling the vector loops takes about a second of processor time, in which the plain ones do
  // about this much.
  private static final long WORTH_WARMING_UP = 256_000_000;

  private static final int WINS = 5;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Kernels plain;
  private final Kernels fast;
  private final boolean rehearses;
  private final Set<Object> ready = ConcurrentHashMap.newKeySet();

  private KernelHandOver(Kernels plain, Kernels fast, boolean rehearses) {
    this.plain = plain;
    this.fast = fast;
    this.rehearses = rehearses;
  }

  /**
   * @param bytes source bytes that the job goes through; more where each takes longer, see {@link
   *     PlannedTensor#work}
   */
  static KernelHandOver forJob(long bytes) {
    KernelChoice choice = KernelChoice.current();
    if (!choice.needsWarmUp()) {
      return new KernelHandOver(choice.kernels(), choice.kernels(), false);
    }
    Kernels plain = KernelChoice.withoutVectors();
    return bytes < WORTH_WARMING_UP
        ? new KernelHandOver(plain, plain, false)
        : between(plain, choice.kernels());
  }

  /** The same with kernels that keep no tables. */
  KernelHandOver sparing() {
    return new KernelHandOver(plain, fast.sparing(), rehearses);
  }

  /** What the fast kernels keep for the searches of these tensors. */
  long searchBytes(List<PlannedTensor> tensors, int threads) {
    return tensors.stream().mapToLong(tensor -> tensor.searchBytes(fast, threads)).max().orElse(0);
  }

  static KernelHandOver between(Kernels plain, Kernels fast) {
    return new KernelHandOver(plain, fast, true);
  }

  /** The kernels for work on a tensor, as of now. */
  Kernels kernels(PlannedTensor tensor) {
    boolean waits = rehearses && (tensor.codec().isEmpty() || !ready.contains(tensor.kind()));
    return waits ? plain : fast;
  }

  /**
   * Runs tasks as {@link Workers#run} does, and a rehearsal for each kind of tensor beside them.
   */
  void run(
      Workers workers,
      List<PlannedTensor> tensors,
      Rehearsal rehearsal,
      int tasks,
      Workers.Task body)
      throws Exception {
    Map<Object, PlannedTensor> kinds = new LinkedHashMap<>();
    if (rehearses) {
      tensors.stream()
          .filter(tensor -> tensor.codec().isPresent())
          .forEach(tensor -> kinds.putIfAbsent(tensor.kind(), tensor));
    }
    List<PlannedTensor> rehearsed = List.copyOf(kinds.values());
    workers.run(
        rehearsed.size() + tasks,
        (index, worker) -> {
          if (index < rehearsed.size()) {
            rehearse(rehearsed.get(index), rehearsal, worker);
          } else {
            body.run(index - rehearsed.size(), worker);
          }
        });
  }

  /**
   * Until the fast kernels have won {@value #WINS} times in succession. When they do not, or the
   * work fails, that kind stays with the plain ones; a failure is left to the real work, which
   * knows what to say.
   */
  private void rehearse(PlannedTensor tensor, Rehearsal rehearsal, int worker)
      throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    int wins = 0;
    try {
      while (wins < WINS) {
        long start = System.nanoTime();
        rehearsal.run(tensor, fast, worker);
        long middle = System.nanoTime();
        rehearsal.run(tensor, plain, worker);
        long stop = System.nanoTime();
        wins = middle - start < stop - middle ? wins + 1 : 0;
        if (stop > end) {
          return;
        }
      }
      ready.add(tensor.kind());
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception | InternalError e) {
      return; // the real work meets the same, and reports it with its place
    }
  }
}
