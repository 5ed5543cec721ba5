/**
 * What calibration needs: the states of all samples between two layers, and what is learnt from
 * them.
 *
 * <ul>
 *   <li>{@link dev.quern.pipeline.calibration.ActivationStore} holds the hidden states of all
 *       samples, in memory as far as the budget goes and in a file beyond that.
 * </ul>
 *
 * <p>Invariants: what is computed depends on the samples and their order, never on memory, threads
 * or files.
 */
package dev.quern.pipeline.calibration;
