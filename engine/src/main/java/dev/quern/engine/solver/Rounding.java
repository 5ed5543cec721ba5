package dev.quern.engine.solver;

import dev.quern.engine.kernel.SweepKernels;
import java.lang.foreign.MemorySegment;

/** One column of some rows to codes of a format, and back to the weights that these stand for. */
final class Rounding {
  private final SweepKernels kernels;
  private final StoredFormat format;

  Rounding(SweepKernels kernels, StoredFormat format) {
    this.kernels = kernels;
    this.format = format;
  }

  /**
   * Rounds a column.
   *
   * @param scales what elements are divided by, one a row
   * @param zeros zero points, one a row
   * @param codes receives one byte a row
   * @param stored receives the weights
   */
  void round(
      MemorySegment weights,
      long weightsOffset,
      int rows,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment zeros,
      long zerosOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment stored,
      long storedOffset) {
    switch (format.element()) {
      case INTEGER ->
          kernels.quantizeIntegers(
              format.bits(),
              weights,
              weightsOffset,
              rows,
              scales,
              scalesOffset,
              zeros,
              zerosOffset,
              codes,
              codesOffset,
              stored,
              storedOffset);
      case E4M3 ->
          kernels.quantizeE4M3(
              weights,
              weightsOffset,
              rows,
              scales,
              scalesOffset,
              codes,
              codesOffset,
              stored,
              storedOffset);
      case E2M1 ->
          kernels.quantizeE2M1(
              weights,
              weightsOffset,
              rows,
              scales,
              scalesOffset,
              codes,
              codesOffset,
              stored,
              storedOffset);
    }
    kernels.dequantize(format.productType(), stored, storedOffset, rows, scales, scalesOffset);
  }
}
