package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;

/**
 * What a decoder computes between its matrix products, on runs of f32: normalisation, softmax,
 * rotation, gates. {@link ScalarDecoderKernels} is the definition; other providers equal it bit for
 * bit, except for the payload and sign of a NaN.
 *
 * <p>All arithmetic is binary32. Exponentials and hyperbolic tangents are those of {@link
 * DecoderMath}. A sum over a run has 16 lanes: element {@code i} belongs to lane {@code i % 16},
 * each lane adds its elements in ascending order, beginning with +0, and lanes are then added in
 * halves: {@code lane[i] + lane[i + 8]}, of those {@code [i] + [i + 4]}, and so on. So a sum does
 * not depend on the width of vectors.
 *
 * <p>Segments are native memory, little-endian; offsets count bytes and {@code n} counts elements.
 * Where a target is named beside sources, it may be one of them, at the same offset. Nothing is
 * allocated. Calls are thread-safe.
 */
public interface DecoderKernels {
  /**
   * RMSNorm: {@code y = (x * r) * weight} with {@code r = 1 / sqrt(mean(x²) + epsilon)}; a term of
   * the sum of squares is {@code lane = fma(x, x, lane)}, and the mean is that sum divided by
   * {@code n}.
   *
   * <p>Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.
   */
  void rmsNorm(
      MemorySegment x,
      long xOffset,
      MemorySegment weight,
      long weightOffset,
      int n,
      float epsilon,
      MemorySegment target,
      long targetOffset);

  /**
   * The numerators of a softmax, in place: {@code x = exp(x - max)}.
   *
   * @return the sum of them, the denominator; NaN when an element is NaN or +infinity, or when all
   *     are -infinity
   */
  float exponentials(MemorySegment x, long offset, int n);

  /** {@code x = cap * tanh(x / cap)}, in place. */
  void softCap(MemorySegment x, long offset, int n, float cap);

  /** {@code x = x * factor}, in place. */
  void scale(MemorySegment x, long offset, int n, float factor);

  /** {@code target = target + x * factor}: a product and a sum, each rounded. */
  void add(
      MemorySegment x, long xOffset, int n, float factor, MemorySegment target, long targetOffset);

  /**
   * Rotates pairs of elements that lie {@code n} apart, in place: {@code (a * cos - b * sin, b *
   * cos + a * sin)}, where {@code a} is element i and {@code b} element {@code n + i}; products,
   * sum and difference are rounded each.
   *
   * <p>Source: Su et al., RoFormer, 2021, in the order of elements that transformers uses.
   *
   * @param angles {@code n} cosines and behind them {@code n} sines
   */
  void rotate(MemorySegment x, long offset, int n, MemorySegment angles, long anglesOffset);

  /** SwiGLU: {@code y = (g / (1 + exp(-g))) * u}. */
  void siluGate(
      MemorySegment gate,
      long gateOffset,
      MemorySegment up,
      long upOffset,
      int n,
      MemorySegment target,
      long targetOffset);

  /**
   * GeGLU: {@code y = gelu(g) * u} with the approximation {@code gelu(g) = (0.5 * g) * (1 +
   * tanh(sqrt(2 / pi) * (g + 0.044715 * g³)))}, the cube as {@code (g * g) * g}.
   *
   * @param target shares no memory with gate and up here
   */
  void geluTanhGate(
      MemorySegment gate,
      long gateOffset,
      MemorySegment up,
      long upOffset,
      int n,
      MemorySegment target,
      long targetOffset);
}
