package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;

/** Every kind of number and every way to share scales. */
enum Formats {
  W4_GROUP,
  W4_GROUP_ASYM,
  W3_GROUP_32,
  W8_CHANNEL,
  W4_TENSOR,
  FP8_CHANNEL,
  FP8_BLOCK,
  MXFP4,
  MXFP8,
  NVFP4;

  StoredFormat of(FloatType type, int rows, int cols, MemorySegment weights) {
    return switch (this) {
      case W4_GROUP -> StoredFormat.integer(type, 4, true, ScaleGrid.block(rows, cols, 1, 128));
      case W4_GROUP_ASYM ->
          StoredFormat.integer(type, 4, false, ScaleGrid.block(rows, cols, 1, 128));
      case W3_GROUP_32 -> StoredFormat.integer(type, 3, true, ScaleGrid.block(rows, cols, 1, 32));
      case W8_CHANNEL -> StoredFormat.integer(type, 8, true, ScaleGrid.channel(rows, cols));
      case W4_TENSOR -> StoredFormat.integer(type, 4, true, ScaleGrid.tensor(rows, cols));
      case FP8_CHANNEL -> StoredFormat.e4m3(type, ScaleGrid.channel(rows, cols));
      case FP8_BLOCK -> StoredFormat.e4m3(type, ScaleGrid.block(rows, cols, 128, 128));
      case MXFP4 -> StoredFormat.mx(type, StoredFormat.Element.E2M1, rows, cols);
      case MXFP8 -> StoredFormat.mx(type, StoredFormat.Element.E4M3, rows, cols);
      case NVFP4 -> {
        int bits = AbsMax.ofRows(Kernels.best(), type, weights, rows, cols);
        yield StoredFormat.nvfp4(type, rows, cols, Nvfp4Scales.global(type, bits));
      }
    };
  }
}
