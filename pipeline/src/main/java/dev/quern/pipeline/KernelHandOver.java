package dev.quern.pipeline;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
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
  /** A piece of work whose result nobody keeps. */
  interface Rehearsal {
    void run(Kernels kernels) throws Exception;
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
   * @param bytes source bytes that the job goes through
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

  static KernelHandOver between(Kernels plain, Kernels fast) {
    return new KernelHandOver(plain, fast, true);
  }

  /** Whether {@link #rehearse} has anything to do. */
  boolean rehearses() {
    return rehearses;
  }

  /**
   * @param kind what decides which loops run: equal kinds of work share a rehearsal
   */
  Kernels kernels(Object kind) {
    return ready.contains(kind) ? fast : plain;
  }

  /**
   * Runs the rehearsal of a kind of work until the fast kernels have won {@value #WINS} times in
   * succession. When they do not, or the work fails, that kind stays with the plain ones; a failure
   * is left to the real work, which knows what to say.
   */
  void rehearse(Object kind, Rehearsal rehearsal) {
    if (!rehearses || ready.contains(kind)) {
      return;
    }
    long end = System.nanoTime() + PATIENCE_NANOS;
    int wins = 0;
    try {
      while (wins < WINS) {
        long start = System.nanoTime();
        rehearsal.run(fast);
        long middle = System.nanoTime();
        rehearsal.run(plain);
        long stop = System.nanoTime();
        wins = middle - start < stop - middle ? wins + 1 : 0;
        if (stop > end) {
          return;
        }
      }
      ready.add(kind);
    } catch (Exception e) {
      // The real work meets the same, and reports it with its place.
      return;
    }
  }
}
