package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * How one weight matrix becomes the parameters that a format stores for it, and back. A codec is
 * made for one matrix, holds no data, and is safe for use by several threads.
 *
 * <p>Work goes by strips of whole rows. A strip begins at a multiple of {@link #stripRows()}, so
 * each parameter is written in pieces that lie one after the other. A parameter of the whole
 * matrix, such as a global scale, is written once, and every strip sees it whole.
 *
 * <p>A codec may have to know something of the whole matrix before it can compress; see {@link
 * #measurement()}. Decompressing and the bounds go by what is stored, and never need it.
 */
interface WeightCodec {
  /** The least number of rows that can be compressed without knowing the others. */
  int stripRows();

  /** Names of the parameters, such as {@code weight} and {@code weight_scale}. */
  List<String> parameters();

  /**
   * Bytes of a parameter that the first {@code rows} rows of the matrix give: the size of a strip,
   * and also the place where the strip that begins at {@code rows} belongs. All bytes, whatever
   * {@code rows}, for a parameter of the {@link #wholeMatrix}.
   */
  long bytes(int parameter, int rows);

  /** Whether a parameter belongs to the whole matrix and not to its rows. Each strip gives it. */
  default boolean wholeMatrix(int parameter) {
    return false;
  }

  /** Where the strip that begins at {@code row} belongs in a parameter. */
  default long offset(int parameter, int row) {
    return wholeMatrix(parameter) ? 0 : bytes(parameter, row);
  }

  /**
   * What has to be known of the whole matrix before this codec can {@link #compress}; empty when it
   * can. The codec that {@link Measurement#bind} gives takes its place then.
   */
  default Optional<Measurement> measurement() {
    return Optional.empty();
  }

  /**
   * Compresses a strip; only when there is no {@link #measurement()} left.
   *
   * @param source {@code rows} rows of weights, row-major
   * @param parameters receives each parameter's bytes
   * @throws dev.quern.engine.quantization.NonFiniteWeightException when a weight is NaN or infinite
   */
  void compress(Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters);

  /**
   * Decompresses one row.
   *
   * @param parameters a strip of each parameter
   * @param row within the strip
   * @param target receives the row in the type of the weights
   */
  void decompressRow(
      Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target);

  /**
   * What a stored parameter says that cannot be true of this matrix, such as another shape; empty
   * when there is nothing. Looked at once for each strip.
   */
  default Optional<String> contradiction(List<MemorySegment> parameters) {
    return Optional.empty();
  }

  /** The part of the largest sound error of an element that is proportional to its magnitude. */
  float relativeBound();

  /**
   * The rest of the largest sound error, for the elements of one row.
   *
   * @param absMax largest magnitude in the row
   */
  double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax);

  /** The largest magnitude that the row's scales can express: what errors are compared with. */
  double range(List<MemorySegment> parameters, int rows, int row);
}
