/**
 * Observers: how a range is found for the weights that share a scale. The names are those of
 * llm-compressor.
 *
 * <pre>
 *   name and settings --ObserverSettings--&gt; RangeSearch --MseObserver--&gt; (min, max) of each block
 *                                                  ^
 *            steps of the whole matrix: Patience --+
 * </pre>
 *
 * <p>Scales and zero points follow from the ranges as they would from the smallest and the largest
 * weight, so a search changes nothing else in a codec. {@code docs/observers.md} has formulas,
 * costs and measured errors.
 *
 * <p>Invariants: the range of a block depends on its weights and on the number of steps, and the
 * number of steps on the whole matrix, never on how it is cut into strips.
 *
 * <p>Threads: immutable objects.
 *
 * <p>What may happen here: names, settings, the order of kernel calls. What may not: loops over
 * elements, JSON, scales.
 */
package dev.quern.engine.quantization.observer;
