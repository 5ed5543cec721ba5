package dev.quern.engine.solver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.IntKernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.quantization.PackedZeroPoints;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A quantized matrix: all that its packer needs, with the columns in their own order.
 *
 * @param format what it is stored as, with the scale of the whole matrix
 * @param codes one byte an element, row-major [rows, cols]: an int8, an E4M3 code, or an E2M1 code
 *     from 0 to 15. No code is a negative zero: a reader cannot tell, and the reference's saving
 *     makes it 0 too
 * @param scales as they are stored, row-major [gridRows, gridCols]
 * @param zeroPoints the same shape; empty when symmetric
 * @param groupIndex {@code weight_g_idx}: the group of each column; only for {@link
 *     ActivationOrder#GROUP}, where neighbours in the matrix need not share a scale
 * @param loss half the sum of E² over all elements, as the reference logs it: what the change of
 *     the weights costs, {@code tr(dW H dWᵀ) / 2} with the damped Hessian and without dead columns.
 *     With scales that were refitted it is that of the sweep before
 * @param dampening what was added to the Hessian's diagonal, in units of its mean; more than was
 *     asked for when the Hessian would not be factored otherwise
 * @param rounded whether the Hessian was zero, nothing having gone through the layer, and the
 *     matrix was rounded to nearest instead
 */
public record GptqResult(
    StoredFormat format,
    MemorySegment codes,
    float[] scales,
    float[] zeroPoints,
    Optional<int[]> groupIndex,
    double loss,
    float dampening,
    boolean rounded) {

  /** The group of a column, that is, its column in the matrix of scales. */
  public int group(int col) {
    return groupIndex.isPresent() ? groupIndex.get()[col] : col / format.grid().blockCols();
  }

  /**
   * The weights of a row as readers compute them: {@code R(level * scale)}.
   *
   * @param target receives {@code cols} numbers
   */
  public void dequantizeRow(int row, float[] target) {
    ScaleGrid grid = format.grid();
    int scaleRow = row / grid.blockRows() * grid.gridCols();
    for (int col = 0; col < grid.cols(); col++) {
      int index = scaleRow + group(col);
      byte code = codes.get(JAVA_BYTE, (long) row * grid.cols() + col);
      float level =
          switch (format.element()) {
            case INTEGER -> code - (format.symmetric() ? 0 : zeroPoints[index]);
            case E4M3 -> Fp8E4M3.decode(code);
            case E2M1 -> Fp4E2M1.decode(code);
          };
      target[col] = format.productType().round(level * format.effective(scales[index]));
    }
  }

  /** Bytes of {@link #packRows}. */
  public long packedBytes() {
    ScaleGrid grid = format.grid();
    return switch (format.element()) {
      case INTEGER -> grid.rows() * IntKernels.packedBytes(grid.cols(), format.bits());
      case E4M3 -> (long) grid.rows() * grid.cols();
      case E2M1 -> grid.rows() * (grid.cols() / 2L);
    };
  }

  /**
   * Packs the codes as files hold them: integers in 32-bit words, each row a stream of its own;
   * E2M1 codes two in a byte, the even column's in the lower half; E4M3 codes as they are.
   *
   * @param target receives {@link #packedBytes}
   */
  public void packRows(Kernels kernels, MemorySegment target) {
    ScaleGrid grid = format.grid();
    int cols = grid.cols();
    switch (format.element()) {
      case INTEGER -> {
        long bytes = IntKernels.packedBytes(cols, format.bits());
        for (int row = 0; row < grid.rows(); row++) {
          long from = (long) row * cols;
          kernels.integers().pack(codes, from, cols, format.bits(), target, row * bytes);
        }
      }
      case E4M3 -> MemorySegment.copy(codes, 0, target, 0, packedBytes());
      case E2M1 -> {
        for (long pair = 0; pair < packedBytes(); pair++) {
          int even = codes.get(JAVA_BYTE, 2 * pair);
          int odd = codes.get(JAVA_BYTE, 2 * pair + 1);
          target.set(JAVA_BYTE, pair, (byte) (even | odd << 4));
        }
      }
    }
  }

  /** Bytes of {@link #writeScales}. */
  public long scaleBytes() {
    int each = format.scales() == StoredFormat.Scales.WEIGHT_TYPE ? format.type().bytes() : 1;
    return (long) scales.length * each;
  }

  /**
   * Writes the scales as files hold them: numbers of the weights' type, E8M0 codes or E4M3 codes.
   *
   * @param target receives {@link #scaleBytes}
   */
  public void writeScales(MemorySegment target) {
    FloatType type = format.type();
    for (int i = 0; i < scales.length; i++) {
      switch (format.scales()) {
        case WEIGHT_TYPE -> type.store(target, (long) i * type.bytes(), scales[i]);
        case E8M0 -> target.set(JAVA_BYTE, i, E8M0.encode(scales[i]));
        case E4M3 -> target.set(JAVA_BYTE, i, Fp8E4M3.encode(scales[i]));
      }
    }
  }

  /**
   * Packs the zero points as files hold them; see {@link PackedZeroPoints}.
   *
   * @param target receives {@link PackedZeroPoints#bytes}
   */
  public void packZeroPoints(MemorySegment target) {
    ScaleGrid grid = format.grid();
    target.fill((byte) 0);
    float[] row = new float[grid.gridCols()];
    for (int gridRow = 0; gridRow < grid.gridRows(); gridRow++) {
      System.arraycopy(zeroPoints, gridRow * row.length, row, 0, row.length);
      PackedZeroPoints.putRow(target, format.bits(), gridRow, row);
    }
  }
}
