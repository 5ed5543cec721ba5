/**
 * Linear algebra of calibrated compression: products, Hessians, and the factor of their inverse.
 *
 * <table>
 *   <caption>The operations</caption>
 *   <tr><th>class</th><th>computes</th></tr>
 *   <tr><td>{@link dev.quern.engine.linalg.Gemm}</td><td>C = A B, C += A B, C -= A B; operands bf16, f16, f32, transposed or not</td></tr>
 *   <tr><td>{@link dev.quern.engine.linalg.Syrk}</td><td>one triangle of Xᵀ X</td></tr>
 *   <tr><td>{@link dev.quern.engine.linalg.HessianAccumulator}</td><td>Σ x xᵀ over the tokens of a calibration set</td></tr>
 *   <tr><td>{@link dev.quern.engine.linalg.Cholesky}</td><td>V with A = Vᵀ V</td></tr>
 *   <tr><td>{@link dev.quern.engine.linalg.TriangularInverse}</td><td>V⁻ᵀ</td></tr>
 *   <tr><td>{@link dev.quern.engine.linalg.InverseFactor}</td><td>U with H⁻¹ = Uᵀ U, damped as far as needed</td></tr>
 *   <tr><td>{@link dev.quern.engine.linalg.Symmetric}</td><td>the other triangle; P A Pᵀ</td></tr>
 * </table>
 *
 * <p>{@link dev.quern.engine.linalg.FloatMatrix} is a matrix that can be written, {@link
 * dev.quern.engine.linalg.MatrixOperand} one that is read; both are views of native memory, and
 * blocks of a matrix are views too. {@link dev.quern.engine.linalg.Workspace} brings kernels,
 * threads and scratch memory:
 *
 * <pre>{@code
 * try (Workspace workspace = new Workspace(Kernels.best(), workers)) {
 *   Gemm.subtract(workspace, errors.operand(), factor.view(0, 128, 128, rest), weights);
 * }
 * }</pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>Every result has one definition</b>, the plain loop in its class's comment, with {@code
 *       Math.fma} and a stated order; threads, vector widths and block sizes change no bit. Tests
 *       compare for equality.
 *   <li>Where a triangle is meant, the other one is neither read nor written unless a comment says
 *       so. Where a result is set, what was there before is not read.
 *   <li>Matrices are row-major and vectors run along rows; that is why factors are upper.
 *   <li>Nothing is ever damped silently: {@link dev.quern.engine.linalg.InverseFactor} says by how
 *       much.
 *   <li>Loops over tiles allocate nothing; scratch memory grows to a stated limit and is reused.
 * </ul>
 *
 * <p>Threads: a workspace runs one operation at a time, on its workers or on the calling thread.
 *
 * <p>What may happen here: cutting matrices into panels and tiles, and the order of work. What may
 * not: the innermost loops (those are {@code engine.kernel.MatrixKernels}), what a Hessian is for
 * (that is {@code engine.solver}), files.
 */
package dev.quern.engine.linalg;
