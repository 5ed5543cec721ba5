package dev.quern.engine.solver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * One matrix in several arrangements: as it came, with its columns in another order, transposed.
 *
 * @param weights row-major [rows, cols] of the format's type
 * @param order column {@code order[j]} of the weights is column j in the new order
 */
record Layout(
    Kernels kernels, Workers workers, StoredFormat format, MemorySegment weights, int[] order) {
  /** Rows of a strip: a cache line of binary32, so that every line is written as a whole. */
  private static final int STRIP = 16;

  /** The weights with their columns in the new order, row-major, of their own type. */
  MemorySegment ordered(Arena arena) throws InterruptedException {
    int bytes = format.type().bytes();
    int n = order.length;
    int rows = format.grid().rows();
    MemorySegment target = NativeMemory.allocate(arena, (long) rows * n * bytes);
    Tasks.run(
        workers,
        rows,
        (row, worker) -> {
          long begin = (long) row * n * bytes;
          for (int j = 0; j < n; j++) {
            long from = begin + (long) order[j] * bytes;
            MemorySegment.copy(weights, from, target, begin + (long) j * bytes, bytes);
          }
        });
    return target;
  }

  /** The weights as binary32, transposed: a row for each column in the new order, padded. */
  FloatMatrix transposed(Arena arena) throws InterruptedException {
    return transposed(arena, order);
  }

  /** The same in an order of the caller's. */
  FloatMatrix transposed(Arena arena, int[] columns) throws InterruptedException {
    int rows = format.grid().rows();
    return transposed(arena, kernels, workers, format.type(), rows, weights, columns);
  }

  /** The same of weights [matrixRows, columns.length] of any type. */
  static FloatMatrix transposed(
      Arena arena,
      Kernels kernels,
      Workers workers,
      FloatType type,
      int matrixRows,
      MemorySegment weights,
      int[] columns)
      throws InterruptedException {
    int n = columns.length;
    FloatMatrix target = FloatMatrix.allocate(arena, n, Sweep.paddedRows(matrixRows));
    MemorySegment buffers = NativeMemory.allocate(arena, 4L * STRIP * n * workers.threads());
    Tasks.run(
        workers,
        Math.ceilDiv(matrixRows, STRIP),
        (task, worker) -> {
          int begin = task * STRIP;
          int rows = Math.min(STRIP, matrixRows - begin);
          MemorySegment strip = buffers.asSlice(4L * STRIP * n * worker, 4L * STRIP * n);
          for (int i = 0; i < rows; i++) {
            long from = (begin + (long) i) * n * type.bytes();
            kernels.convert(type, weights, from, n, FloatType.F32, strip, 4L * i * n);
          }
          for (int j = 0; j < n; j++) {
            long from = 4L * columns[j];
            long to = target.offset(j, begin);
            for (int i = 0; i < rows; i++) {
              float w = FloatType.F32.load(strip, from + 4L * i * n);
              FloatType.F32.store(target.data(), to + 4L * i, w);
            }
          }
        });
    return target;
  }

  /**
   * Codes as they lie in the matrix, without negative zeros.
   *
   * @param codes one byte an element, [columns in the new order, padded rows]
   * @return row-major [rows, cols]
   */
  MemorySegment codes(Arena arena, MemorySegment codes) throws InterruptedException {
    int n = order.length;
    int rows = format.grid().rows();
    int padded = Sweep.paddedRows(rows);
    byte negativeZero =
        switch (format.element()) {
          case INTEGER -> 0; // is no code of a zero with a sign
          case E4M3 -> (byte) 0x80;
          case E2M1 -> 8;
        };
    MemorySegment target = NativeMemory.allocate(arena, (long) rows * n);
    int strip = 64; // one cache line of the source
    Tasks.run(
        workers,
        Math.ceilDiv(rows, strip),
        (task, worker) -> {
          int end = Math.min(rows, (task + 1) * strip);
          for (int j = 0; j < n; j++) {
            for (int row = task * strip; row < end; row++) {
              byte code = codes.get(JAVA_BYTE, (long) j * padded + row);
              byte kept = code == negativeZero ? 0 : code;
              target.set(JAVA_BYTE, (long) row * n + order[j], kept);
            }
          }
        });
    return target;
  }

  /** The group of each column of the matrix, where it has to be told. */
  Optional<int[]> columnGroups(int[] groups, boolean told) {
    if (!told) {
      return Optional.empty();
    }
    int[] byColumn = new int[groups.length];
    for (int j = 0; j < groups.length; j++) {
      byColumn[order[j]] = groups[j];
    }
    return Optional.of(byColumn);
  }
}
