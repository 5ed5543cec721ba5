package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/**
 * What a codec has to know of a whole matrix before it can compress any strip of it: a largest
 * magnitude, say, or whether any row gained from a step of a search.
 *
 * <p>What is learnt is a few {@code long} numbers, for a codec to make sense of. Strips are
 * measured in any order, by several threads, and cut where memory and threads want it. So {@link
 * #merge} must be commutative and associative (a maximum, an OR, a sum of integers, but no sum of
 * floats), and a strip must give what its rows give one by one.
 */
interface Measurement {
  /**
   * What a strip shows.
   *
   * @param source {@code rows} rows of weights, row-major
   * @throws dev.quern.engine.quantization.NonFiniteWeightException when a weight is NaN or infinite
   */
  long[] measure(Kernels kernels, MemorySegment source, int rows);

  /** Adds what another strip, or another matrix of the fused set, shows. */
  void merge(long[] into, long[] other);

  /**
   * Whether matrices that inference engines fuse ({@link
   * dev.quern.formats.compressedtensors.FusedSets}) have to agree on something, so that all of them
   * are measured before one is bound.
   */
  boolean concernsFusedSet();

  /**
   * The codec that knows. It may need another measurement, which is then made in the next round.
   *
   * @param own what the matrix shows
   * @param fusedSet what all matrices of its fused set show, itself included; the same as {@code
   *     own} where there is no such set
   */
  WeightCodec bind(long[] own, long[] fusedSet);
}
