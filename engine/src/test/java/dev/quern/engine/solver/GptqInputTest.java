package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.MatrixOperand;
import dev.quern.engine.linalg.NotPositiveDefiniteException;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.NonFiniteWeightException;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong is said; what is odd gives numbers. */
class GptqInputTest {
  private static final int ROWS = 5;
  private static final int COLS = 8;
  private static final Kernels KERNELS = Kernels.best();

  private Arena arena;
  private Workers workers;
  private float[] values;

  @BeforeEach
  void begin() {
    arena = Arena.ofShared();
    workers = new Workers(2);
    SplittableRandom random = new SplittableRandom(1);
    values = new float[ROWS * COLS];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
  }

  @AfterEach
  void end() {
    workers.close();
    arena.close();
  }

  private static StoredFormat format(FloatType type) {
    return StoredFormat.integer(type, 4, true, ScaleGrid.block(ROWS, COLS, 1, 4));
  }

  private GptqResult solve(FloatType type, Hessian hessian, GptqOptions options, Progress progress)
      throws Exception {
    MemorySegment weights = RealLayers.nativeOf(arena, type, values);
    return new Gptq(KERNELS, workers)
        .solve(arena, format(type), weights, hessian, options, progress);
  }

  private GptqResult solve(Hessian hessian) throws Exception {
    return solve(FloatType.F32, hessian, GptqOptions.reference(), Progress.NONE);
  }

  private Hessian good() {
    return RealLayers.diagonal(arena, COLS, 1);
  }

  private FloatMatrix matrix(float... changes) {
    FloatMatrix h = FloatMatrix.allocate(arena, COLS, COLS);
    for (int i = 0; i < COLS; i++) {
      h.set(i, i, 1);
    }
    for (int i = 0; i < changes.length; i += 3) {
      h.set((int) changes[i], (int) changes[i + 1], changes[i + 2]);
    }
    return h;
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void refusesWeightsThatAreNotFinite(float bad) {
    values[2 * COLS + 3] = bad;
    assertThatThrownBy(() -> solve(good()))
        .isInstanceOf(NonFiniteWeightException.class)
        .hasMessage("weight [2, 3] is " + bad);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void refusesActivationsThatAreNotFinite(float bad) {
    values[3 * COLS + 2] = bad;
    MemorySegment x = RealLayers.nativeOf(arena, FloatType.F32, values);
    MatrixOperand inputs = MatrixOperand.of(FloatType.F32, x, ROWS, COLS);
    assertThatThrownBy(() -> Hessian.ofActivations(arena, KERNELS, workers, inputs))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("feature 2");
  }

  @Test
  void refusesHessiansThatAreNone() {
    assertThatThrownBy(() -> Hessian.ofLower(matrix(4, 1, Float.NaN)))
        .hasMessageContaining("Hessian [4, 1] is NaN");
    assertThatThrownBy(() -> Hessian.ofLower(matrix(2, 2, -1)))
        .hasMessage("Hessian [2, 2] is -1.0; a sum of squares is at least 0");
    assertThatThrownBy(() -> Hessian.ofFull(matrix(1, 3, 0.5f)))
        .hasMessage("a Hessian is symmetric, and [3, 1] is 0.0 where [1, 3] is 0.5");
    assertThatThrownBy(() -> Hessian.ofLower(FloatMatrix.allocate(arena, 8, 7)))
        .hasMessageContaining("square")
        .hasMessageContaining("[8, 7]");
    assertThatThrownBy(() -> solve(RealLayers.diagonal(arena, 9, 1)))
        .hasMessage("weights of 8 columns need a Hessian of as many features; found 9");
    MatrixOperand none =
        MatrixOperand.of(FloatType.F32, RealLayers.nativeOf(arena, FloatType.F32), 0, COLS);
    assertThatThrownBy(() -> Hessian.ofActivations(arena, KERNELS, workers, none))
        .hasMessageContaining("at least one token");
  }

  @Test
  void roundsWhenNothingWentThroughTheLayer() throws Exception {
    GptqResult found = solve(RealLayers.diagonal(arena, COLS, 0));
    assertThat(found.rounded()).isTrue();
    float[] row = new float[COLS];
    for (int r = 0; r < ROWS; r++) {
      found.dequantizeRow(r, row);
      for (int c = 0; c < COLS; c++) {
        float scale = found.scales()[r * 2 + c / 4];
        assertThat(Math.abs(row[c] - values[r * COLS + c])).isLessThanOrEqualTo(scale * 0.51f);
      }
    }
  }

  /** What a feature that is always 0 is multiplied with does not matter: 0. */
  @Test
  void deadColumnsBecomeZero() throws Exception {
    GptqResult found = solve(Hessian.ofLower(matrix(6, 6, 0)));
    assertThat(found.rounded()).isFalse();
    float[] row = new float[COLS];
    for (int r = 0; r < ROWS; r++) {
      found.dequantizeRow(r, row);
      assertThat(row[6]).isZero();
      assertThat(row[5]).isNotZero();
    }
  }

  @Test
  void raisesTheDampingOfAHessianThatHasNoFactor() throws Exception {
    // Not positive definite: features 0 and 1 agree more than they can.
    GptqResult found = solve(Hessian.ofLower(matrix(1, 0, 1.05f)));
    assertThat(found.dampening()).isGreaterThan(0.05f).isLessThan(0.2f);
    assertThat(found.loss()).isFinite().isPositive();
  }

  @Test
  void saysWhenNoDampingHelps() {
    assertThatThrownBy(() -> solve(Hessian.ofLower(matrix(1, 0, 1e9f))))
        .isInstanceOf(NotPositiveDefiniteException.class);
  }

  @Test
  void saysWhenWeightsOverflow() {
    Arrays.fill(values, 65504f);
    values[0] = -65504f;
    FloatMatrix h = matrix();
    for (int i = 0; i < COLS; i++) {
      for (int j = 0; j < i; j++) {
        h.set(i, j, 0.9999f);
      }
    }
    GptqOptions options = GptqOptions.reference().withDampening(0).withOrder(ActivationOrder.NONE);
    for (int i = 1; i < values.length; i += 3) {
      values[i] = -values[i];
    }
    assertThatThrownBy(() -> solve(FloatType.F16, Hessian.ofLower(h), options, Progress.NONE))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("overflow F16")
        .hasMessageContaining("raise the dampening");
  }

  @Test
  void refusesOptionsThatDoNotFit() {
    assertThatThrownBy(
            () -> StoredFormat.integer(FloatType.F32, 4, true, ScaleGrid.block(ROWS, COLS, 1, 3)))
        .hasMessage(
            "a matrix of 8 columns cannot be cut into groups of 3; choose a group size that divides"
                + " it, or ignore the module");
    assertThatThrownBy(() -> GptqOptions.reference().withScaleUpdate(true))
        .hasMessageContaining("actorder none or group");
    assertThatThrownBy(() -> GptqOptions.reference().withBlockSize(0))
        .hasMessageContaining("block size 0");
    assertThatThrownBy(() -> GptqOptions.reference().withDampening(Float.NaN))
        .hasMessageContaining("dampening NaN");
    StoredFormat tiles = StoredFormat.e4m3(FloatType.F32, ScaleGrid.block(ROWS, COLS, 4, 4));
    MemorySegment weights = RealLayers.nativeOf(arena, FloatType.F32, values);
    GptqOptions refit = GptqOptions.reference().withScaleRefit(1);
    Gptq gptq = new Gptq(KERNELS, workers);
    assertThatThrownBy(() -> gptq.solve(arena, tiles, weights, good(), refit, Progress.NONE))
        .hasMessageContaining("scales that rows share");
    MemorySegment few = weights.asSlice(0, 40);
    assertThatThrownBy(
            () ->
                gptq.solve(
                    arena,
                    format(FloatType.F32),
                    few,
                    good(),
                    GptqOptions.reference(),
                    Progress.NONE))
        .hasMessage("weights [5, 8] of F32 take 160 bytes; found 40");
  }

  @Test
  void stopsWhenTold() {
    GptqOptions options = GptqOptions.reference().withBlockSize(2);
    int[] heard = new int[1];
    assertThatThrownBy(
            () ->
                solve(
                    FloatType.F32,
                    good(),
                    options,
                    (done, columns) -> {
                      heard[0]++;
                      return done < 4;
                    }))
        .isInstanceOf(CancellationException.class)
        .hasMessage("cancelled at column 4 of 8");
    assertThat(heard[0]).isEqualTo(3);
  }
}
