/**
 * Layers solved with a Hessian: each column of a weight matrix is decided on in turn, and the
 * columns to come make up for its error in the layer's output.
 *
 * <pre>
 *   weights, Hessian --Gptq--&gt; order, scales, factor U --Sweep--&gt; codes --&gt; GptqResult
 *                                                        | ^
 *                                          a column of w v | what will be stored
 *                                                     ColumnRule
 * </pre>
 *
 * <p>{@link dev.quern.engine.solver.Gptq} is the algorithm with its legend; {@link
 * dev.quern.engine.solver.Sweep} the loop that it shares with all of its kind. <b>A new member of
 * the family is a {@link dev.quern.engine.solver.ColumnRule}</b>: given a column as it has become,
 * the weights that will be stored. A rule that decides on several columns together (N:M sparsity)
 * says so by {@code step} and looks at them in {@code enter}; one that looks at all rows of a block
 * (unstructured sparsity) does it in {@code enterBlock}; rules may be composed, a mask first and a
 * rounding of what it keeps after it.
 *
 * <p>{@link dev.quern.engine.solver.SparseGpt} prunes with the same loop, alone or together with
 * GPTQ, and {@link dev.quern.engine.solver.MaskRefit} improves what any mask left.
 *
 * <p>{@link dev.quern.engine.solver.StoredFormat} says what numbers a matrix is stored as, {@link
 * dev.quern.engine.solver.GptqResult} holds them as packers want them, {@link
 * dev.quern.engine.solver.LayerError} measures what they cost.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>One law for each element</b>: one fused multiply-add for each column before its own, in
 *       ascending order. Threads, vectors and block sizes change no bit.
 *   <li><b>Errors are those of what is stored</b>: of the weights that a reader computes.
 *   <li><b>Scales and codes come from the laws</b> of {@code engine.quantization} and {@code
 *       engine.kernel}; no formula of a format is here.
 *   <li><b>Nothing that is not finite</b> goes in or comes out; what was wrong is said before
 *       anything is computed, where it can be known.
 * </ul>
 *
 * <p>Threads: a solve has all workers to itself. Rows know nothing of each other, so strips of rows
 * are tasks.
 *
 * <p>What may happen here: orders, choices, the flow of matrices. What may not: loops over elements
 * that matter (those are {@code engine.kernel} and {@code engine.linalg}), files, names of tensors,
 * the forward pass that activations come from.
 */
package dev.quern.engine.solver;
