package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.testdata.TestData;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tables of searches count in the memory budget, or are not made. */
class SearchMemoryTest {
  private static final int THREADS = 2;

  @Test
  void tablesAreLeased() throws Exception {
    long bytes = searchBytes("exact");
    MemoryBudget budget = new MemoryBudget(4 * bytes + 1);
    assertThat(leased("exact", budget)).isEqualTo(bytes);
    assertThat(budget.acquire(budget.limit())).isNotNull(); // all of it was given back
  }

  @ParameterizedTest
  @CsvSource({"exact", "memoryless_minmax"})
  void nothingIsLeasedWithoutTables(String observer) throws Exception {
    long enough = Math.max(1, searchBytes(observer) * 3 / 2);
    assertThat(leased(observer, new MemoryBudget(enough))).isZero();
  }

  @Test
  void sparingKernelsKeepNothing() {
    Kernels kernels = KernelChoice.current().kernels();
    RangeSearch search = RangeSearch.exhaustive(FloatType.BF16, CandidateFormat.integer(4, true));
    assertThat(kernels.sparing().rangeSearch().memoryBytes(search, THREADS)).isZero();
    if (KernelChoice.current().needsWarmUp()) { // vectors: 128 tables of 200 KiB, three times
      assertThat(kernels.rangeSearch().memoryBytes(search, THREADS))
          .isBetween(60_000_000L, 100_000_000L);
    }
  }

  private static long searchBytes(String observer) throws Exception {
    return handOver().searchBytes(tensors(observer), THREADS);
  }

  private static KernelHandOver handOver() {
    return KernelHandOver.between(KernelChoice.withoutVectors(), KernelChoice.current().kernels());
  }

  private static long leased(String observer, MemoryBudget budget) throws Exception {
    try (SearchMemory memory = SearchMemory.of(handOver(), tensors(observer), 1, THREADS, budget)) {
      assertThat(memory.handOver().searchBytes(tensors(observer), THREADS))
          .isEqualTo(budget.peak());
      return budget.peak();
    }
  }

  private static List<PlannedTensor> tensors(String observer) throws Exception {
    CompressionOptions options =
        CompressionOptions.of(
                TestData.path("golden/source/plain-bf16"), Path.of("target/none"), "W4A16")
            .withWeightObserver(observer);
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(options.model())) {
      SourceModel model = Planner.source(checkpoint, options);
      return CompressionRun.planned(model, Planner.plan(checkpoint, model, options).tensors());
    }
  }
}
