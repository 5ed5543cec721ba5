package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.solver.RealLayers.Layer;
import dev.quern.engine.sparsity.MaskStructure;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

/** Which of two sets of options counts where a matrix is pruned and quantized together. */
class PruneAndQuantizeOptionsTest {
  private static final SparseGptOptions TWO_OF_FOUR =
      SparseGptOptions.reference(MaskStructure.TWO_OF_FOUR, 0.5);

  @Test
  void orderAndDampeningAreThoseOfTheQuantization() throws Exception {
    SparseGptOptions other =
        TWO_OF_FOUR.withOrder(ActivationOrder.STATIC).withDampening(0.3f).withBlockSize(64);
    for (int refit : new int[] {0, 2}) {
      try (Arena arena = Arena.ofShared();
          Workers workers = new Workers(2)) {
        Layer layer = RealLayers.read(arena, workers).getFirst();
        GptqOptions none = GptqOptions.reference().withOrder(ActivationOrder.NONE);
        GptqResult one = solve(arena, workers, layer, TWO_OF_FOUR.withRefit(refit), none);
        GptqResult two = solve(arena, workers, layer, other.withRefit(refit), none);
        assertThat(two.codes().mismatch(one.codes())).isEqualTo(-1);
        assertThat(two.scales()).isEqualTo(one.scales());
        GptqResult damped =
            solve(arena, workers, layer, TWO_OF_FOUR.withRefit(refit), none.withDampening(0.3f));
        assertThat(damped.codes().mismatch(one.codes())).isNotEqualTo(-1);
      }
    }
  }

  @Test
  void ordersByGroupAreRefused() throws Exception {
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(1)) {
      Layer layer = RealLayers.read(arena, workers).getFirst();
      GptqOptions group = GptqOptions.reference().withOrder(ActivationOrder.GROUP);
      assertThatThrownBy(() -> solve(arena, workers, layer, TWO_OF_FOUR, group))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("actorder group goes by groups of scales")
          .hasMessageContaining("choose none or static");
    }
  }

  private static GptqResult solve(
      Arena arena, Workers workers, Layer layer, SparseGptOptions sparsity, GptqOptions options)
      throws InterruptedException {
    ScaleGrid grid = ScaleGrid.block(layer.rows(), layer.cols(), 1, 128);
    StoredFormat format = StoredFormat.integer(FloatType.BF16, 4, true, grid);
    return new SparseGpt(Kernels.best(), workers)
        .pruneAndQuantize(
            arena,
            format,
            format.minMax(),
            layer.weights(),
            layer.hessian(),
            sparsity,
            options,
            Progress.NONE);
  }
}
