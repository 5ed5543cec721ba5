/**
 * What a model's predictions are worth, and how far those of two models are apart.
 *
 * <ul>
 *   <li>{@link dev.quern.engine.evaluation.LogitScores} turns rows of logits into scores of tokens:
 *       the loss, and against another model's logits the Kullback-Leibler divergence and whether
 *       the most likely token is the same.
 *   <li>{@link dev.quern.engine.evaluation.WindowMean} is a mean over tokens with its standard
 *       error.
 * </ul>
 *
 * <p>Invariants: exponentials are those of {@code engine.kernel.DecoderMath} in binary32; all sums
 * and differences are binary64, added in an order that depends on the vocabulary alone. No score
 * depends on threads, kernels, or the other rows.
 *
 * <p>What may happen here: arithmetic on logits and scores. What may not: running a model (that is
 * {@code engine.model}), texts, files.
 */
package dev.quern.engine.evaluation;
