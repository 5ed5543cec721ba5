package dev.quern.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class MemoryBudgetTest {
  @ParameterizedTest
  @ValueSource(longs = {0, -1})
  void aBudgetHasAtLeastOneByte(long limit) {
    assertThatThrownBy(() -> new MemoryBudget(limit))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("memory budget of %d bytes; at least 1 expected", limit);
  }

  @ParameterizedTest
  @ValueSource(longs = {101, Long.MAX_VALUE, -1})
  void whatNeverFitsIsRefusedAtOnce(long bytes) {
    MemoryBudget budget = new MemoryBudget(100);
    assertThatThrownBy(() -> budget.acquire(bytes))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("one piece of work needs %d bytes, and the memory budget is 100", bytes);
    assertThat(budget.peak()).isZero();
  }

  @Test
  void peakIsTheMostThatWasTakenAtOneTime() {
    MemoryBudget budget = new MemoryBudget(100);
    assertThat(budget.limit()).isEqualTo(100);
    MemoryBudget.Lease first = budget.acquire(30);
    budget.acquire(50).close();
    budget.acquire(0).close();
    assertThat(budget.peak()).isEqualTo(80);
    first.close();
    first.close(); // gives back once only
    budget.acquire(90).close();
    assertThat(budget.peak()).isEqualTo(90);
    budget.acquire(100).close();
    assertThat(budget.peak()).isEqualTo(100);
  }

  @Test
  void aFullBudgetMakesOthersWait() throws InterruptedException {
    MemoryBudget budget = new MemoryBudget(100);
    MemoryBudget.Lease all = budget.acquire(100);
    Thread waiting = Thread.ofPlatform().start(() -> budget.acquire(1).close());
    awaitWaiting(waiting);
    all.close();
    waiting.join();
    assertThat(budget.peak()).isEqualTo(100);
  }

  /** The sum of what is taken and what is wanted does not fit a long. */
  @Test
  void aBudgetWithoutLimitIsStillOne() throws InterruptedException {
    MemoryBudget budget = new MemoryBudget(Long.MAX_VALUE);
    MemoryBudget.Lease all = budget.acquire(Long.MAX_VALUE);
    Thread waiting = Thread.ofPlatform().start(() -> budget.acquire(1).close());
    awaitWaiting(waiting);
    all.close();
    waiting.join();
    assertThat(budget.peak()).isEqualTo(Long.MAX_VALUE);
  }

  /** The second would fit at once, but the first, larger one asked before it. */
  @Test
  void nobodyOvertakes() throws InterruptedException {
    MemoryBudget budget = new MemoryBudget(100);
    Queue<String> order = new ConcurrentLinkedQueue<>();
    MemoryBudget.Lease held = budget.acquire(60);
    Thread large = Thread.ofPlatform().start(() -> take(budget, 80, order, "large"));
    awaitWaiting(large);
    Thread small = Thread.ofPlatform().start(() -> take(budget, 30, order, "small"));
    awaitWaiting(small);
    assertThat(order).isEmpty();
    held.close();
    large.join();
    small.join();
    assertThat(order).containsExactly("large", "small");
  }

  private static void take(MemoryBudget budget, long bytes, Queue<String> order, String name) {
    try (MemoryBudget.Lease lease = budget.acquire(bytes)) {
      order.add(name);
      assertThat(lease).isNotNull();
    }
  }

  @Test
  void manyThreadsNeverExceedIt() throws Exception {
    long limit = 1000;
    MemoryBudget budget = new MemoryBudget(limit);
    AtomicLong used = new AtomicLong();
    AtomicLong mostUsed = new AtomicLong();
    int threads = 16;
    int leases = 500;
    List<Future<Integer>> futures = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      for (int t = 0; t < threads; t++) {
        SplittableRandom random = new SplittableRandom(t);
        futures.add(
            executor.submit(
                () -> {
                  int taken = 0;
                  for (int i = 0; i < leases; i++) {
                    long bytes = random.nextLong(limit + 1);
                    try (MemoryBudget.Lease lease = budget.acquire(bytes)) {
                      long now = used.addAndGet(bytes);
                      mostUsed.accumulateAndGet(now, Math::max);
                      Thread.yield();
                      used.addAndGet(-bytes);
                      taken += lease == null ? 0 : 1;
                    }
                  }
                  return taken;
                }));
      }
    }
    int taken = 0;
    for (Future<Integer> future : futures) {
      taken += future.get();
    }
    assertThat(taken).isEqualTo(threads * leases);
    assertThat(used).hasValue(0);
    assertThat(mostUsed.get()).isLessThanOrEqualTo(budget.peak());
    assertThat(budget.peak()).isLessThanOrEqualTo(limit).isGreaterThan(limit / 2);
    budget.acquire(limit).close(); // nothing was lost
  }

  private static void awaitWaiting(Thread thread) {
    while (thread.getState() != Thread.State.WAITING) {
      assertThat(thread.getState()).isNotEqualTo(Thread.State.TERMINATED);
      Thread.onSpinWait();
    }
  }
}
