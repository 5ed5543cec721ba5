/**
 * Bulk operations on runs of elements: what they mean, and who carries them out.
 *
 * <p>{@link dev.quern.engine.kernel.Kernels} is the contract, and {@link
 * dev.quern.engine.kernel.ScalarKernels} its definition: one obvious loop an operation, over the
 * laws of {@code engine.numeric}. Two more providers do the work, and equal it bit for bit: {@code
 * PlainKernels}, loops without vectors that are shaped for speed, and the SIMD loops of {@code
 * kernel.vector}. {@link dev.quern.engine.kernel.KernelChoice} says which of them this JVM runs,
 * and why.
 *
 * <table>
 *   <caption>The operations</caption>
 *   <tr><th>operation</th><th>source</th><th>result</th></tr>
 *   <tr><td>{@code absMaxBits}</td><td>bf16, f16, f32</td><td>largest magnitude, as bits</td></tr>
 *   <tr><td>{@code quantizeE4M3}</td><td>bf16, f16, f32</td><td>FP8 codes for one scale</td></tr>
 *   <tr><td>{@code dequantizeE4M3}</td><td>FP8 codes</td><td>bf16, f16, f32</td></tr>
 *   <tr><td>{@code convert}</td><td>bf16, f16, f32</td><td>bf16, f16, f32</td></tr>
 *   <tr><td>{@code addErrors}</td><td>two runs of bf16, f16, f32</td><td>sums, in a fixed order</td></tr>
 * </table>
 *
 * <p>{@link dev.quern.engine.kernel.Fp4Kernels} has those of rows in which every 16 or 32
 * neighbours share a scale, for NVFP4, MXFP4 and MXFP8; {@code ScalarFp4Kernels} defines them.
 *
 * <p>Integers of 1 to 8 bits have a contract of their own, {@link
 * dev.quern.engine.kernel.IntKernels}, reached by {@code Kernels.integers()}: ranges, codes and
 * packing of a whole row with its groups in one call, defined by {@link
 * dev.quern.engine.kernel.ScalarIntKernels}.
 *
 * <p>{@link dev.quern.engine.kernel.PruneKernels} sets weights to zero, the smallest of each group
 * or those below a threshold; {@link dev.quern.engine.kernel.ScalarPruneKernels} defines it. {@link
 * dev.quern.engine.kernel.MaskKernels} does the same on columns, whose masks solvers keep.
 *
 * <p>{@link dev.quern.engine.kernel.SweepKernels}, reached by {@code Kernels.sweep()}, has those of
 * solvers that go through a matrix column by column: rounding a column with a scale for each row,
 * and handing its error to the columns behind it; {@link
 * dev.quern.engine.kernel.ScalarSweepKernels} defines them.
 *
 * <p>{@link dev.quern.engine.kernel.DecoderKernels}, reached by {@code Kernels.decoder()}, has what
 * a forward pass computes between products; {@link dev.quern.engine.kernel.ScalarDecoderKernels}
 * and {@link dev.quern.engine.kernel.DecoderMath} define it.
 *
 * <p>{@link dev.quern.engine.kernel.MatrixKernels}, reached by {@code Kernels.matrices()}, has the
 * tiles and panels of {@code engine.linalg}; their law has fused multiply-adds.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>Providers differ in nothing but speed.</b> Every result has the same bits for every
 *       input, NaN and infinities included, and so it does not matter when one takes over from
 *       another. Twin tests compare them over whole domains where those are small enough, and at
 *       every length and alignment; a tolerance would hide exactly the differences that end up in
 *       files.
 *   <li><b>NaN is seen.</b> It is larger than every magnitude, keeps its place in sums, and becomes
 *       the one canonical NaN of the target's type when it is converted.
 *   <li><b>Sums have a fixed order</b> that knows nothing of vector widths: 16 lanes, each
 *       ascending, then the lanes.
 *   <li><b>A call allocates nothing</b>, once it is compiled; a test measures it.
 * </ul>
 *
 * <p>Threads: calls are safe from any thread as long as the memory that they are given is.
 *
 * <p>What may happen here: loops over native memory, choice of a provider. What may not: a formula
 * of a number format (that is {@code numeric}), the shape of a matrix or the choice of a scale
 * (that is {@code quantization}), files, the Vector API.
 *
 * <p>A new operation gets a contract in {@code Kernels}, a loop in {@code ScalarKernels}, one in
 * {@code kernel.vector}, in {@code PlainKernels} at least a line that hands over to the definition,
 * a line in the tests' {@code BulkOperation} or a twin test of its own, and a benchmark.
 */
package dev.quern.engine.kernel;
