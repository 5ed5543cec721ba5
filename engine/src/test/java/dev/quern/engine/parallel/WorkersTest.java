package dev.quern.engine.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {
  private static final int TASKS = 1000;

  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void needsAThread(int threads) {
    assertThatThrownBy(() -> new Workers(threads))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("%d threads; at least 1 expected", threads);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void everyTaskRunsOnceAndResultsDoNotDependOnTheThreads(int threads) throws Exception {
    long[] results = new long[TASKS];
    AtomicIntegerArray runs = new AtomicIntegerArray(TASKS);
    AtomicIntegerArray busy = new AtomicIntegerArray(threads);
    try (Workers workers = new Workers(threads)) {
      assertThat(workers.threads()).isEqualTo(threads);
      workers.run(
          TASKS,
          (task, worker) -> {
            // An index that two tasks had at one time could not choose scratch memory.
            assertThat(busy.getAndIncrement(worker)).isZero();
            runs.incrementAndGet(task);
            results[task] = result(task);
            busy.decrementAndGet(worker);
          });
    }
    assertThat(IntStream.range(0, TASKS)).allMatch(task -> runs.get(task) == 1);
    assertThat(results)
        .isEqualTo(IntStream.range(0, TASKS).mapToLong(WorkersTest::result).toArray());
  }

  private static long result(int task) {
    long h = task;
    for (int i = 0; i < 1000; i++) {
      h = h * 6_364_136_223_846_793_005L + 1_442_695_040_888_963_407L;
    }
    return h;
  }

  @Test
  void tasksStartInAscendingOrder() throws Exception {
    List<Integer> started = new ArrayList<>();
    try (Workers workers = new Workers(1)) {
      workers.run(TASKS, (task, worker) -> started.add(task));
      workers.run(0, (task, worker) -> started.add(-1));
    }
    assertThat(started).isEqualTo(IntStream.range(0, TASKS).boxed().toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 7})
  void threadsWorkAtTheSameTime(int threads) throws Exception {
    CyclicBarrier all = new CyclicBarrier(threads);
    try (Workers workers = new Workers(threads)) {
      workers.run(3 * threads, (task, worker) -> all.await());
    }
    assertThat(all.getNumberWaiting()).isZero();
  }

  @Test
  void ofSeveralFailuresTheLowestNumberWins() {
    int threads = 7;
    CyclicBarrier all = new CyclicBarrier(threads);
    try (Workers workers = new Workers(threads)) {
      for (int round = 0; round < 50; round++) {
        assertThatThrownBy(
                () ->
                    workers.run(
                        TASKS,
                        (task, worker) -> {
                          all.await();
                          throw new IllegalStateException("task " + task);
                        }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("task 0");
      }
    }
  }

  @Test
  void errorsAndCheckedExceptionsComeThroughAsTheyAre() {
    Exception checked = new Exception("checked");
    AssertionError error = new AssertionError("error");
    try (Workers workers = new Workers(2)) {
      assertThatThrownBy(
              () ->
                  workers.run(
                      1,
                      (task, worker) -> {
                        throw checked;
                      }))
          .isSameAs(checked);
      assertThatThrownBy(
              () ->
                  workers.run(
                      1,
                      (task, worker) -> {
                        throw error;
                      }))
          .isSameAs(error);
    }
  }

  @Test
  void nothingStartsAfterAFailure() {
    List<Integer> started = new ArrayList<>();
    try (Workers workers = new Workers(1)) {
      assertThatThrownBy(
              () ->
                  workers.run(
                      TASKS,
                      (task, worker) -> {
                        started.add(task);
                        if (task == 3) {
                          throw new IllegalStateException("three");
                        }
                      }))
          .hasMessage("three");
    }
    assertThat(started).containsExactly(0, 1, 2, 3);
  }

  /** Task 0 ends after the failure of task 1 is known: its worker takes no other. */
  @Test
  void nothingStartsAfterTheFailureOfAnotherThread() {
    AtomicInteger started = new AtomicInteger();
    AtomicReference<Thread> failing = new AtomicReference<>();
    try (Workers workers = new Workers(2)) {
      assertThatThrownBy(
              () ->
                  workers.run(
                      TASKS,
                      (task, worker) -> {
                        started.incrementAndGet();
                        if (task == 1) {
                          failing.set(Thread.currentThread());
                          throw new IllegalStateException("one");
                        }
                        // An idle worker waits for the next run.
                        awaitState(failing, Thread.State.WAITING);
                      }))
          .hasMessage("one");
    }
    assertThat(started).hasValue(2);
  }

  @Test
  void canBeUsedAfterAFailure() throws Exception {
    AtomicInteger ran = new AtomicInteger();
    try (Workers workers = new Workers(2)) {
      assertThatThrownBy(
              () ->
                  workers.run(
                      9,
                      (task, worker) -> {
                        throw new Exception("first");
                      }))
          .hasMessage("first");
      workers.run(TASKS, (task, worker) -> ran.incrementAndGet());
    }
    assertThat(ran).hasValue(TASKS);
  }

  /**
   * The caller may free the memory that tasks use as soon as run has returned, so it returns when
   * the last one has ended, interrupted or not.
   */
  @Test
  void anInterruptStopsWhatHasNotStartedAndWaitsForTheRest() throws Exception {
    AtomicInteger started = new AtomicInteger();
    AtomicReference<Thread> caller = new AtomicReference<>();
    AtomicReference<Thread.State> callerState = new AtomicReference<>();
    AtomicReference<Exception> thrown = new AtomicReference<>();
    CountDownLatch callerKnown = new CountDownLatch(1);
    try (Workers workers = new Workers(1)) {
      Thread thread =
          Thread.ofPlatform()
              .start(
                  () -> {
                    caller.set(Thread.currentThread());
                    callerKnown.countDown();
                    try {
                      workers.run(
                          TASKS,
                          (task, worker) -> {
                            if (started.getAndIncrement() > 0) {
                              return;
                            }
                            callerKnown.await();
                            awaitState(caller, Thread.State.WAITING);
                            caller.get().interrupt();
                            while (caller.get().isInterrupted() && caller.get().isAlive()) {
                              Thread.onSpinWait(); // until it was noticed
                            }
                            callerState.set(awaitState(caller, Thread.State.WAITING));
                          });
                    } catch (Exception e) {
                      thrown.set(e);
                    }
                  });
      thread.join();
    }
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    assertThat(callerState).hasValue(Thread.State.WAITING);
    assertThat(started).hasValue(1);
  }

  /** Waits until the thread is in a state, or has ended; says which. */
  private static Thread.State awaitState(AtomicReference<Thread> thread, Thread.State wanted) {
    while (true) {
      Thread known = thread.get();
      Thread.State state = known == null ? Thread.State.NEW : known.getState();
      if (state == wanted || state == Thread.State.TERMINATED) {
        return state;
      }
      Thread.onSpinWait();
    }
  }

  /** A system that starts this many threads and no more. */
  private static ThreadFactory systemWith(int threads) {
    AtomicInteger started = new AtomicInteger();
    return work -> {
      if (started.getAndIncrement() >= threads) {
        throw new OutOfMemoryError("unable to create native thread");
      }
      return new Thread(work);
    };
  }

  @Test
  void fewerThreadsDoAllOfTheWork() throws Exception {
    try (Workers workers = new Workers(5, systemWith(2))) {
      for (int run = 0; run < 3; run++) {
        AtomicInteger sum = new AtomicInteger();
        workers.run(100, (task, worker) -> sum.addAndGet(task));
        assertThat(sum).hasValue(4950);
      }
    }
  }

  @Test
  void noThreadIsAnError() {
    try (Workers workers = new Workers(3, systemWith(0))) {
      assertThatThrownBy(() -> workers.run(10, (task, worker) -> {}))
          .isInstanceOf(NoThreadException.class)
          .hasMessageContaining("the system starts no thread");
    }
  }
}
