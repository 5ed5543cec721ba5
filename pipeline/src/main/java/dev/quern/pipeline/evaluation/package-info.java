/**
 * Running models to see what became of them: perplexity of a text, how far a compressed model is
 * from its source, and what it says.
 *
 * <ul>
 *   <li>{@link dev.quern.pipeline.evaluation.Windows} cuts a text into pieces that a model reads at
 *       once.
 *   <li>{@link dev.quern.pipeline.evaluation.Evaluation} runs one model or two over them, a layer
 *       at a time, and scores what they predict.
 *   <li>{@link dev.quern.pipeline.evaluation.Generation} lets a model go on with a text.
 *   <li>{@code ActivationRules} reads how activations are rounded, {@code RoundedActivations} does
 *       it.
 * </ul>
 *
 * <p>Memory: activations of all windows, in half of the budget and a temporary file; the weights of
 * one layer, or of the head, mapped or decoded; what one window needs inside of a layer.
 *
 * <p>Results have the same bits for any threads, kernels and memory.
 *
 * <p>What may happen here: the order of layers, windows and models. What may not: arithmetic (that
 * is {@code engine.model} and {@code engine.evaluation}), reading configurations.
 */
package dev.quern.pipeline.evaluation;
