/**
 * From a weight matrix to codes and scales, in the vocabulary of compressed-tensors.
 *
 * <pre>
 *   weights [rows, cols] --AbsMax--&gt; largest magnitude of each block --scale--&gt; scales
 *        |                                                                     |
 *        +---------------------------- quantize &lt;------------------------------+--&gt; codes
 * </pre>
 *
 * <p>{@link dev.quern.engine.quantization.ScaleGrid} says which elements share a scale: tensor,
 * channel, group and block are all grids. {@link dev.quern.engine.quantization.AbsMax} is the
 * observer {@code memoryless_minmax} of symmetric schemes. {@link
 * dev.quern.engine.quantization.E4M3Weights} quantizes to FP8 and back.
 *
 * <p>{@link dev.quern.engine.quantization.Nvfp4Weights} and {@link
 * dev.quern.engine.quantization.MxWeights} do so for the micro-scaled floats, whose scales are
 * {@link dev.quern.engine.quantization.Nvfp4Scales} and {@link dev.quern.engine.kernel.MxScales};
 * {@link dev.quern.engine.quantization.Nvfp4Search} finds NVFP4's best ones.
 *
 * <p>{@link dev.quern.engine.quantization.IntWeights} does so with integers of 2 to 8 bits, packed
 * or a byte each. It asks a {@link dev.quern.engine.quantization.RangeObserver} for the range of
 * each block, {@link dev.quern.engine.quantization.MinMax} when no search is wanted, and {@link
 * dev.quern.engine.quantization.IntParameters} makes scales and zero points of the ranges.
 *
 * <p>{@link dev.quern.engine.quantization.ActivationRounding} rounds activations as these formats
 * do, and back, for models that are run to see what became of them.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>The reference's arithmetic.</b> Each operation on half-precision weights is computed in
 *       binary32 and rounded to the weights' type before the next one: so the scale, and so the
 *       quotient before it is rounded again to the code. One rounding less gives other codes.
 *   <li><b>No scale is zero, NaN or infinite.</b> A block of zeros gets the type's epsilon; a
 *       weight that is not finite is an error with its place, {@link
 *       dev.quern.engine.quantization.NonFiniteWeightException}.
 *   <li><b>Strips give what the whole gives.</b> A matrix may be quantized in pieces of whole rows
 *       of blocks, in any order.
 * </ul>
 *
 * <p>Threads: static methods without state; pieces that do not overlap may be worked on at the same
 * time.
 *
 * <p>What may happen here: shapes, scales, the order of kernel calls. What may not: loops over
 * elements where a kernel exists, files, JSON, names of tensors, the choice of what to quantize.
 */
package dev.quern.engine.quantization;
