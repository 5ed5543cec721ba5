package dev.quern.pipeline.calibration;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.MatrixOperand;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.PackedZeroPoints;
import dev.quern.engine.solver.GptqResult;
import dev.quern.formats.safetensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The rows of a solved matrix that belong to one module: several modules may have been solved as
 * one matrix, one below the other.
 *
 * @param module whose rows they are
 * @param result the whole matrix
 * @param packed its rows as files hold them
 * @param scales its scales as files hold them
 * @param firstRow the first of the module's rows
 */
record SolvedRows(
    CalibratedModule module,
    GptqResult result,
    MemorySegment packed,
    MemorySegment scales,
    int firstRow) {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Rows of weights that one task turns back into numbers. */
  private static final int ROWS = 64;

  /** Hands on all tensors that the codes decide; scales of inputs are not among them. */
  void write(Sink sink) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      for (TensorSpec output : module.outputs()) {
        MemorySegment bytes =
            switch (module.parameter(output)) {
              case "weight" -> output.dtype() == DType.I8 ? rows(result.codes()) : rows(packed);
              case "weight_packed" -> rows(packed);
              case "weight_scale" -> scales(output);
              case "weight_zero_point" -> zeroPoints(arena, output);
              case "weight_global_scale" -> globalScale(arena);
              case "weight_shape" -> shape(arena);
              case "weight_g_idx" -> groupIndex(arena);
              default -> null;
            };
        if (bytes != null) {
          sink.write(output, bytes);
        }
      }
    }
  }

  private MemorySegment rows(MemorySegment matrix) {
    long rowBytes = matrix.byteSize() / result.format().grid().rows();
    return matrix.asSlice(firstRow * rowBytes, module.rows() * rowBytes);
  }

  /** Scales of tensors and tiles are never those of a part. */
  private MemorySegment scales(TensorSpec output) {
    return result.format().scalesBelongToRows() ? rows(scales) : scales.asSlice(0, output.bytes());
  }

  private MemorySegment zeroPoints(Arena arena, TensorSpec output) {
    MemorySegment bytes = NativeMemory.allocate(arena, output.bytes());
    int columns = result.format().grid().gridCols();
    int first = firstRow * columns;
    if (output.dtype() == DType.I8) {
      for (int i = 0; i < bytes.byteSize(); i++) {
        bytes.set(JAVA_BYTE, i, (byte) result.zeroPoints()[first + i]);
      }
      return bytes;
    }
    float[] row = new float[columns];
    int gridRows = Math.ceilDiv(module.rows(), result.format().grid().blockRows());
    for (int r = 0; r < gridRows; r++) {
      System.arraycopy(result.zeroPoints(), first + r * columns, row, 0, columns);
      PackedZeroPoints.putRow(bytes, result.format().bits(), r, row);
    }
    return bytes;
  }

  private MemorySegment globalScale(Arena arena) {
    MemorySegment bytes = NativeMemory.allocate(arena, Float.BYTES);
    FloatType.F32.store(bytes, 0, result.format().globalScale());
    return bytes;
  }

  private MemorySegment shape(Arena arena) {
    MemorySegment bytes = NativeMemory.allocate(arena, 2 * Long.BYTES);
    bytes.set(LONG, 0, module.rows());
    bytes.set(LONG, Long.BYTES, module.cols());
    return bytes;
  }

  private MemorySegment groupIndex(Arena arena) {
    MemorySegment bytes = NativeMemory.allocate(arena, (long) Integer.BYTES * module.cols());
    for (int col = 0; col < module.cols(); col++) {
      bytes.setAtIndex(INT, col, result.group(col));
    }
    return bytes;
  }

  /**
   * The weights as readers will compute them, in the type of the source.
   *
   * @param arena owns them
   */
  MatrixOperand weights(Arena arena, Workers workers) throws InterruptedException {
    FloatType type = module.type();
    int cols = module.cols();
    long rowBytes = module.weight().rowBytes();
    MemorySegment target = NativeMemory.allocate(arena, module.rows() * rowBytes);
    Tasks.run(
        workers,
        Math.ceilDiv(module.rows(), ROWS),
        (task, _) -> {
          float[] row = new float[cols];
          int end = Math.min(module.rows(), (task + 1) * ROWS);
          for (int r = task * ROWS; r < end; r++) {
            result.dequantizeRow(firstRow + r, row);
            for (int c = 0; c < cols; c++) {
              type.store(target, r * rowBytes + (long) c * type.bytes(), row[c]);
            }
          }
        });
    return MatrixOperand.of(type, target, module.rows(), cols);
  }

  /** Packs a whole result. */
  static MemorySegment pack(Arena arena, Kernels kernels, GptqResult result) {
    MemorySegment packed = NativeMemory.allocate(arena, result.packedBytes());
    result.packRows(kernels, packed);
    return packed;
  }

  /** The scales of a whole result. */
  static MemorySegment scales(Arena arena, GptqResult result) {
    MemorySegment scales = NativeMemory.allocate(arena, result.scaleBytes());
    result.writeScales(scales);
    return scales;
  }
}
