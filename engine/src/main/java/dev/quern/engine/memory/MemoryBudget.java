package dev.quern.engine.memory;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A number of bytes that concurrent work shares: whoever needs some waits until they are free.
 *
 * <p>Leases are granted in the order in which they were asked for, so a large one is not starved by
 * small ones.
 */
public final class MemoryBudget {
  private final long limit;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition changed = lock.newCondition();
  private long used;
  private long peak;
  private long nextTicket;
  private long nowServing;

  /**
   * @param limit bytes, at least 1
   */
  public MemoryBudget(long limit) {
    if (limit < 1) {
      throw new IllegalArgumentException(
          "memory budget of " + limit + " bytes; at least 1 expected");
    }
    this.limit = limit;
  }

  /** The whole budget, in bytes. */
  public long limit() {
    return limit;
  }

  /** The most bytes that were ever leased at one time. */
  public long peak() {
    lock.lock();
    try {
      return peak;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for {@code bytes} and takes them until the lease is closed.
   *
   * @throws IllegalArgumentException when the whole budget is smaller
   */
  public Lease acquire(long bytes) {
    if (bytes < 0 || bytes > limit) {
      throw new IllegalArgumentException(
          "one piece of work needs " + bytes + " bytes, and the memory budget is " + limit);
    }
    lock.lock();
    try {
      long ticket = nextTicket++;
      while (ticket != nowServing || bytes > limit - used) {
        changed.awaitUninterruptibly();
      }
      nowServing++;
      used += bytes;
      peak = Math.max(peak, used);
      changed.signalAll();
      return new Lease(bytes);
    } finally {
      lock.unlock();
    }
  }

  /** Bytes taken from the budget; closing it twice gives them back once. */
  public final class Lease implements AutoCloseable {
    private long bytes;

    private Lease(long bytes) {
      this.bytes = bytes;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        used -= bytes;
        bytes = 0;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
