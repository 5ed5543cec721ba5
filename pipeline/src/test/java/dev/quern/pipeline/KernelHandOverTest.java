package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.testdata.TestData;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The race decides, every task runs once whatever it decides, and a failure decides nothing. */
class KernelHandOverTest {
  private static final int TASKS = 20;
  private static final Path MODEL = TestData.path("golden/source/plain-bf16");

  private final Kernels plain = KernelChoice.withoutVectors();
  private final Kernels fast = new ScalarKernels();
  private final AtomicIntegerArray runs = new AtomicIntegerArray(TASKS);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void theFasterOneTakesOver(int threads) throws Exception {
    AtomicInteger rehearsals = new AtomicInteger();
    Kernels chosen =
        chosenAfter(
            threads,
            (tensor, kernels, worker) -> {
              rehearsals.incrementAndGet();
              if (kernels == plain) {
                waste();
              }
            });
    assertThat(chosen).isSameAs(fast);
    assertThat(rehearsals.get()).isGreaterThanOrEqualTo(10); // five wins, one kind of matrix
    assertEachTaskRanOnce();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aFailureLeavesThePlainOnes(int threads) throws Exception {
    Kernels chosen =
        chosenAfter(
            threads,
            (tensor, kernels, worker) -> {
              throw new IllegalArgumentException("the real work says it better");
            });
    assertThat(chosen).isSameAs(plain);
    assertEachTaskRanOnce();
  }

  private Kernels chosenAfter(int threads, KernelHandOver.Rehearsal rehearsal) throws Exception {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(MODEL);
        Workers workers = new Workers(threads)) {
      SourceModel model = SourceModel.plain(checkpoint);
      CompressionOptions options =
          CompressionOptions.of(MODEL, MODEL.resolveSibling("none"), "FP8_DYNAMIC");
      CompressionPlan plan = Planner.plan(checkpoint, model, options);
      List<PlannedTensor> tensors = CompressionRun.planned(model, plan.tensors());
      PlannedTensor matrix =
          tensors.stream().filter(t -> t.codec().isPresent()).findFirst().orElseThrow();
      KernelHandOver handOver = KernelHandOver.between(plain, fast);
      assertThat(handOver.kernels(matrix)).isSameAs(plain);
      handOver.run(
          workers, tensors, rehearsal, TASKS, (index, worker) -> runs.incrementAndGet(index));
      return handOver.kernels(matrix);
    }
  }

  private void assertEachTaskRanOnce() {
    for (int task = 0; task < TASKS; task++) {
      assertThat(runs.get(task)).as("task %d", task).isEqualTo(1);
    }
  }

  /** Some hundred microseconds, which a rehearsal that does nothing does not take. */
  private static void waste() {
    long end = System.nanoTime() + 300_000;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }
}
