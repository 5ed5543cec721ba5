package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Codes and scales of a quantized matrix. */
record Quantized(MemorySegment codes, MemorySegment scales) {
  static Quantized of(Kernels kernels, Matrix matrix, ScaleGrid grid, Arena arena) {
    long scales = (long) grid.gridRows() * grid.gridCols() * matrix.type().bytes();
    Quantized result =
        new Quantized(
            arena.allocate((long) grid.rows() * grid.cols(), 64), arena.allocate(scales, 64));
    E4M3Weights.quantize(kernels, matrix.type(), matrix.bytes(), grid, result.codes, result.scales);
    return result;
  }
}
