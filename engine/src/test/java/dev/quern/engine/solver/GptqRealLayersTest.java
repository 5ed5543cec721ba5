package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.InverseFactor;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.solver.RealLayers.Layer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What must hold of every solve, on layers of a real model. */
class GptqRealLayersTest {
  private static final double UNIT = 0x1p-24;

  private static final Kernels KERNELS = Kernels.best();
  private static Arena arena;
  private static Workers workers;
  private static List<Layer> layers;

  @BeforeAll
  static void read() throws IOException {
    arena = Arena.ofShared();
    workers = new Workers(2);
    layers = RealLayers.read(arena, workers);
  }

  @AfterAll
  static void close() {
    workers.close();
    arena.close();
  }

  private static GptqResult solve(Layer layer, Formats format, Hessian hessian, GptqOptions options)
      throws Exception {
    StoredFormat stored = format.of(FloatType.BF16, layer.rows(), layer.cols(), layer.weights());
    return new Gptq(KERNELS, workers)
        .solve(arena, stored, layer.weights(), hessian, options, Progress.NONE);
  }

  private static double error(Layer layer, GptqResult result) throws Exception {
    return LayerError.of(KERNELS, workers, layer.weights(), result, layer.hessian());
  }

  /** Rounding is what a Hessian of zeros leaves. */
  private static GptqResult round(Layer layer, Formats format) throws Exception {
    Hessian zero = RealLayers.diagonal(arena, layer.cols(), 0);
    GptqResult result = solve(layer, format, zero, GptqOptions.reference());
    assertThat(result.rounded()).isTrue();
    return result;
  }

  @ParameterizedTest
  @EnumSource
  void errsLessThanRounding(Formats format) throws Exception {
    ActivationOrder order = ActivationOrder.values()[format.ordinal() % 3];
    for (Layer layer : layers) {
      double rounded = error(layer, round(layer, format));
      GptqOptions options = GptqOptions.reference().withOrder(order);
      assertThat(error(layer, solve(layer, format, layer.hessian(), options)))
          .as("%s, %s, %s", layer.name(), format, order)
          .isLessThan(rounded)
          .isPositive();
    }
  }

  /** Inputs that know nothing of each other give nobody an error to make up for. */
  @ParameterizedTest
  @EnumSource
  void identityGivesRounding(Formats format) throws Exception {
    Layer layer = layers.getFirst();
    GptqResult rounded = round(layer, format);
    GptqResult found =
        solve(layer, format, RealLayers.diagonal(arena, layer.cols(), 3), GptqOptions.reference());
    assertThat(found.rounded()).isFalse();
    assertThat(found.codes().mismatch(rounded.codes())).isEqualTo(-1);
    assertThat(found.scales()).isEqualTo(rounded.scales());
    assertThat(found.zeroPoints()).isEqualTo(rounded.zeroPoints());
  }

  /**
   * The sum of E² is the quadratic form of the change, {@code |dW U⁻¹|²}.
   *
   * <p>With u = 2^-24, w as it is when its turn comes has taken at most n roundings of numbers no
   * larger than |w0| + Σ|E||U|, and (q - w) / U[j,j] two more. So dW = E U + R with {@code |R| <=
   * (n + 3) u / (1 - (n + 3) u) (|w0| + |q| + |E| |U|)}, and dW U⁻¹ is E but for R U⁻¹. Sums of E²
   * in a block are binary32 chains of 128.
   */
  @Test
  void lossesAreTheQuadraticForm() throws Exception {
    for (Layer layer : layers) {
      int n = layer.cols();
      int rows = Sweep.paddedRows(layer.rows());
      try (Arena own = Arena.ofShared();
          Workspace workspace = new Workspace(KERNELS, workers)) {
        int[] order = IntStream.range(0, n).toArray();
        FloatMatrix u = FloatMatrix.allocate(own, n, n);
        layer.hessian().copyLower(workers, order, u);
        double mean = order(layer).average().orElseThrow();
        InverseFactor.compute(workspace, u, (float) (0.01 * mean));

        StoredFormat format = Formats.W4_GROUP.of(FloatType.BF16, layer.rows(), n, layer.weights());
        Layout layout = new Layout(KERNELS, workers, format, layer.weights(), order);
        GroupScales scales = new GroupScales(own, format);
        scales.observe(KERNELS, format.minMax(), layer.weights());
        int[] groups = IntStream.of(order).map(j -> j / 128).toArray();
        QuantizeRule rule =
            new QuantizeRule(own, KERNELS.sweep(), scales, groups, Optional.empty());
        FloatMatrix w0 = layout.transposed(own);
        FloatMatrix stored = FloatMatrix.allocate(own, n, rows);
        ColumnRule watched =
            (column, row, count, weights, at, target, to) -> {
              rule.store(column, row, count, weights, at, target, to);
              MemorySegment.copy(target, to, stored.data(), stored.offset(column, row), 4L * count);
            };
        FloatMatrix e = layout.transposed(own);
        double[] losses = Sweep.run(KERNELS, workers, workspace, e, u, watched, 128, Progress.NONE);

        double[][] inverse = inverseOfUpper(u);
        double gamma = (n + 3) * UNIT / (1 - (n + 3) * UNIT);
        for (int row = 0; row < layer.rows(); row += 17) {
          checkRow(row, n, u, inverse, w0, stored, e, gamma, losses[row]);
        }
      }
    }
  }

  private static DoubleStream order(Layer layer) {
    return IntStream.range(0, layer.cols()).mapToDouble(layer.hessian()::diagonal);
  }

  private static void checkRow(
      int row,
      int n,
      FloatMatrix u,
      double[][] inverse,
      FloatMatrix w0,
      FloatMatrix stored,
      FloatMatrix e,
      double gamma,
      double loss) {
    double[] change = new double[n];
    double[] residual = new double[n];
    double norm = 0;
    for (int j = 0; j < n; j++) {
      change[j] = (double) stored.get(j, row) - w0.get(j, row);
      double size = Math.abs(w0.get(j, row)) + Math.abs(stored.get(j, row));
      for (int k = 0; k <= j; k++) {
        size += Math.abs((double) e.get(k, row) * u.get(k, j));
      }
      residual[j] = gamma * size;
      norm += (double) e.get(j, row) * e.get(j, row);
    }
    double form = 0;
    double delta = 0;
    for (int j = 0; j < n; j++) {
      double y = 0;
      double d = 0;
      for (int k = 0; k <= j; k++) {
        y += change[k] * inverse[k][j];
        d += residual[k] * Math.abs(inverse[k][j]);
      }
      form += y * y;
      delta += d * d;
    }
    double bound = (2 * Math.sqrt(norm) + Math.sqrt(delta)) * Math.sqrt(delta);
    assertThat(form).isCloseTo(norm, within(bound));
    assertThat(loss).isCloseTo(norm, within(norm * 129 * UNIT));
    assertThat(bound).as("a bound that says something").isLessThan(0.3 * norm);
  }

  private static double[][] inverseOfUpper(FloatMatrix u) {
    int n = u.rows();
    double[][] inverse = new double[n][n];
    for (int i = n - 1; i >= 0; i--) {
      inverse[i][i] = 1.0 / u.get(i, i);
      for (int j = i + 1; j < n; j++) {
        double sum = 0;
        for (int k = i + 1; k <= j; k++) {
          sum += u.get(i, k) * inverse[k][j];
        }
        inverse[i][j] = -sum / u.get(i, i);
      }
    }
    return inverse;
  }

  /** Each option of ours lowers the error, over all layers together. */
  @ParameterizedTest
  @CsvSource({
    "W4_GROUP, search",
    "W4_GROUP_ASYM, search",
    "W3_GROUP_32, search",
    "W4_GROUP, refit",
    "W4_GROUP_ASYM, refit",
    "W3_GROUP_32, refit",
    "NVFP4, refit",
    "W4_GROUP, update",
    "NVFP4, update"
  })
  void ourOptionsGain(Formats format, String option) throws Exception {
    GptqOptions reference = GptqOptions.reference();
    GptqOptions searched = reference.withOrder(ActivationOrder.GROUP).withScaleSearch(true);
    GptqOptions without = option.equals("update") ? searched : reference;
    GptqOptions with =
        switch (option) {
          case "search" -> reference.withScaleSearch(true);
          case "refit" -> reference.withScaleRefit(1);
          case "update" -> searched.withScaleUpdate(true);
          default -> throw new IllegalArgumentException(option);
        };
    double ratio = 1;
    for (Layer layer : layers) {
      double before = error(layer, solve(layer, format, layer.hessian(), without));
      ratio *= error(layer, solve(layer, format, layer.hessian(), with)) / before;
    }
    assertThat(ratio).isLessThan(1);
  }
}
