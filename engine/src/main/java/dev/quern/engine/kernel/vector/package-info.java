/**
 * The SIMD twins: the only package that uses {@code jdk.incubator.vector}.
 *
 * <p>{@link dev.quern.engine.kernel.vector.VectorKernels} is the provider; it sends each operation
 * and type to one loop. Nothing else here is visible from outside, and the provider itself is found
 * by name, so that the engine also runs where the module is missing.
 *
 * <p>Every loop equals {@link dev.quern.engine.kernel.ScalarKernels} bit for bit. Where it takes
 * another way to the result, a comment proves that the way is right, and a twin test goes through
 * the cases of the proof. What does not fill a vector is left to the law itself, never to a third
 * formula.
 *
 * <p>Rules, each paid for by a measurement:
 *
 * <ul>
 *   <li>Species and operators are constants, and derived from the machine's preferred width ({@code
 *       Shapes}). A width that the CPU lacks is a hundred times slower, and correct.
 *   <li>A vector never crosses a call that C2 might not inline: no vectors in fields, arrays or
 *       lambdas. C2 stops inlining methods of ours at 18,000 nodes, about 30 operations on vectors,
 *       so helpers come early in a loop, call few others, and the last steps are written out
 *       ({@code FloatLanes}).
 *   <li>No branch inside a loop that a vector is alive across; compute both sides and blend.
 *   <li>Integer operations on bits for rounding and special values; no fused multiply-add but in
 *       kernels whose law has it: elsewhere its result differs from the scalar law's.
 *   <li>Byte order is given with every load and store. Memory is native; any alignment works, 64
 *       bytes is fastest.
 *   <li>{@code build-tools/forbidden/vector.txt} lists the operations that are slow or scalar in
 *       disguise.
 * </ul>
 *
 * <p>Threads: no state, so calls are safe from any of them.
 *
 * <p>Until C2 has compiled a loop, each operation is a Java method that allocates, up to a thousand
 * times slower. {@code KernelAllocationTest} finds loops that stay that way.
 */
package dev.quern.engine.kernel.vector;
