/**
 * Which weights become zero.
 *
 * <p>{@link dev.quern.engine.sparsity.MaskStructure} says where zeros may lie: {@code 2:4}, {@code
 * 4:8}, any {@code N:M}, or anywhere. Two ways to choose them live here, each one call on a matrix
 * of a checkpoint:
 *
 * <table>
 *   <caption>The ways</caption>
 *   <tr><th></th><th>smallest</th><th>unstructured target is met</th></tr>
 *   <tr><td>{@link dev.quern.engine.sparsity.Magnitude}</td><td>{@code |weight|}</td>
 *       <td>over the matrix</td></tr>
 *   <tr><td>{@link dev.quern.engine.sparsity.Wanda}</td><td>{@code |weight| * norm of its input}</td>
 *       <td>in each row</td></tr>
 * </table>
 *
 * <p>SparseGPT, which also changes the weights that stay, is a solver.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>Targets are met exactly.</b> A group has exactly N weights pruned, an unstructured
 *       matrix exactly the count that was asked for, however many weights are equal. (Weights that
 *       were zero already count as pruned when they are among the smallest.)
 *   <li><b>Ties have an order.</b> Of equal weights the one with the lower index is pruned first.
 *   <li><b>Same input, same bytes</b>, for any number of threads and any vectors: thresholds are
 *       found by counting, and what a strip does depends on its place alone.
 *   <li><b>No NaN passes.</b> A weight, activation or norm that is not finite is refused with its
 *       place.
 * </ul>
 *
 * <p>Threads: calls run on the workers that they are given, and end early when their caller is
 * interrupted.
 *
 * <p>What may happen here: scores, thresholds, masks. What may not: scales and codes ({@code
 * quantization}), matrix products and decompositions ({@code linalg}), updates of the weights that
 * stay ({@code solver}), files.
 */
package dev.quern.engine.sparsity;
