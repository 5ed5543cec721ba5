package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.Symmetric;
import dev.quern.engine.linalg.Triangle;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/**
 * What a change of a layer's weights costs, {@code tr(dW H dWᵀ)}: the squared error of the layer's
 * output over the inputs that the Hessian is made of, but for the Hessian's constant factor.
 */
public final class LayerError {
  private static final FloatType F32 = FloatType.F32;

  private LayerError() {}

  /**
   * The error of a quantized matrix.
   *
   * @param weights row-major, of the result's format
   */
  public static double of(
      Kernels kernels, Workers workers, MemorySegment weights, GptqResult result, Hessian hessian)
      throws InterruptedException {
    FloatType type = result.format().type();
    int rows = result.format().grid().rows();
    int cols = result.format().grid().cols();
    try (Arena arena = Arena.ofShared()) {
      FloatMatrix change = FloatMatrix.allocate(arena, rows, cols);
      float[] row = new float[cols];
      for (int r = 0; r < rows; r++) {
        result.dequantizeRow(r, row);
        for (int c = 0; c < cols; c++) {
          float w = type.load(weights, ((long) r * cols + c) * type.bytes());
          F32.store(change.data(), change.offset(r, c), row[c] - w);
        }
      }
      return of(kernels, workers, change, hessian);
    }
  }

  /**
   * The error of a change: the product with H in binary32, the sum of its products with the change
   * in binary64, rows ascending.
   *
   * @param change dW, [rows, features]
   */
  public static double of(Kernels kernels, Workers workers, FloatMatrix change, Hessian hessian)
      throws InterruptedException {
    int n = hessian.features();
    try (Arena arena = Arena.ofShared();
        Workspace workspace = new Workspace(kernels, workers)) {
      FloatMatrix h = FloatMatrix.allocate(arena, n, n);
      hessian.copyLower(workers, IntStream.range(0, n).toArray(), h);
      Symmetric.mirror(h, Triangle.LOWER);
      FloatMatrix product = FloatMatrix.allocate(arena, change.rows(), n);
      Gemm.set(workspace, change.operand(), h.operand(), product);
      double sum = 0;
      for (int r = 0; r < change.rows(); r++) {
        for (int c = 0; c < n; c++) {
          double d = F32.load(change.data(), change.offset(r, c));
          sum += d * F32.load(product.data(), product.offset(r, c));
        }
      }
      return sum;
    }
  }
}
