package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.solver.RealLayers.Layer;
import dev.quern.engine.sparsity.Magnitude;
import dev.quern.engine.sparsity.MaskStructure;
import dev.quern.engine.sparsity.Wanda;
import dev.quern.engine.sparsity.WeightMatrix;
import java.lang.foreign.Arena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On real layers each way of pruning is better than the cheaper ones. */
class SparseGptRealLayersTest {
  private static final Kernels KERNELS = Kernels.best();

  @ParameterizedTest
  @ValueSource(strings = {"2:4", "4:8", "0:0"})
  void whatCostsMoreErrsLess(String structure) throws Exception {
    MaskStructure mask = MaskStructure.parse(structure);
    SparseGptOptions options = SparseGptOptions.reference(mask, 0.5);
    int layers = 0;
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(2)) {
      SparseGpt solver = new SparseGpt(KERNELS, workers);
      for (Layer layer : RealLayers.read(arena, workers)) {
        WeightMatrix source =
            new WeightMatrix(FloatType.BF16, layer.rows(), layer.cols(), layer.weights());
        WeightMatrix pruned = like(arena, source);
        Magnitude.prune(KERNELS, workers, source, mask, 0.5, pruned);
        double magnitude = error(workers, source, pruned, layer.hessian());
        float[] scalars = new float[layer.cols()];
        for (int j = 0; j < scalars.length; j++) {
          scalars[j] = layer.hessian().diagonal(j);
        }
        Wanda.prune(KERNELS, workers, source, scalars, mask, 0.5, pruned);
        double wanda = error(workers, source, pruned, layer.hessian());
        new MaskRefit(KERNELS, workers).refit(source, pruned, layer.hessian(), 0.01f, 8);
        double wandaRefit = error(workers, source, pruned, layer.hessian());
        WeightMatrix swept =
            solver.prune(arena, source, layer.hessian(), options, Progress.NONE).weights();
        double sparseGpt = error(workers, source, swept, layer.hessian());
        WeightMatrix refitted =
            solver
                .prune(arena, source, layer.hessian(), options.withRefit(8), Progress.NONE)
                .weights();
        double sparseGptRefit = error(workers, source, refitted, layer.hessian());
        if (!mask.isUnstructured()) {
          // Wanda prunes every row alike, which magnitudes over a matrix need not: in one layer of
          // the four they err less.
          assertThat(wanda).as(layer.name()).isLessThan(magnitude);
        }
        assertThat(wandaRefit).as(layer.name()).isLessThan(wanda);
        assertThat(sparseGpt).as(layer.name()).isLessThan(Math.min(wanda, magnitude));
        assertThat(sparseGptRefit).as(layer.name()).isLessThan(sparseGpt);
        layers++;
      }
    }
    assertThat(layers).isEqualTo(4);
  }

  /** Pruning and rounding in one sweep errs less than one after the other. */
  @ParameterizedTest
  @ValueSource(strings = {"2:4", "4:8"})
  void oneSweepErrsLessThanTwoSteps(String structure) throws Exception {
    SparseGptOptions sparsity = SparseGptOptions.reference(MaskStructure.parse(structure), 0.5);
    int layers = 0;
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(2)) {
      SparseGpt solver = new SparseGpt(KERNELS, workers);
      Gptq gptq = new Gptq(KERNELS, workers);
      for (Layer layer : RealLayers.read(arena, workers)) {
        WeightMatrix source =
            new WeightMatrix(FloatType.BF16, layer.rows(), layer.cols(), layer.weights());
        ScaleGrid grid = ScaleGrid.block(layer.rows(), layer.cols(), 1, 128);
        StoredFormat format = StoredFormat.integer(FloatType.BF16, 4, true, grid);
        GptqOptions options = GptqOptions.reference().withOrder(ActivationOrder.NONE);
        GptqResult joint =
            solver.pruneAndQuantize(
                arena,
                format,
                format.minMax(),
                layer.weights(),
                layer.hessian(),
                sparsity,
                options,
                Progress.NONE);
        WeightMatrix pruned =
            solver.prune(arena, source, layer.hessian(), sparsity, Progress.NONE).weights();
        Hessian nothing = Hessian.ofLower(FloatMatrix.allocate(arena, layer.cols(), layer.cols()));
        GptqResult rounded =
            gptq.solve(arena, format, pruned.data(), nothing, options, Progress.NONE);
        double one = LayerError.of(KERNELS, workers, layer.weights(), joint, layer.hessian());
        double two = LayerError.of(KERNELS, workers, layer.weights(), rounded, layer.hessian());
        assertThat(one).as(layer.name()).isLessThan(two);
        layers++;
      }
    }
    assertThat(layers).isEqualTo(4);
  }

  private static WeightMatrix like(Arena arena, WeightMatrix source) {
    return new WeightMatrix(
        source.type(), source.rows(), source.columns(), arena.allocate(source.data().byteSize()));
  }

  private static double error(
      Workers workers, WeightMatrix source, WeightMatrix pruned, Hessian hessian)
      throws InterruptedException {
    try (Arena arena = Arena.ofShared()) {
      FloatMatrix change = FloatMatrix.allocate(arena, source.rows(), source.columns());
      for (int row = 0; row < source.rows(); row++) {
        for (int col = 0; col < source.columns(); col++) {
          change.set(row, col, pruned.get(row, col) - source.get(row, col));
        }
      }
      return LayerError.of(KERNELS, workers, change, hessian);
    }
  }
}
