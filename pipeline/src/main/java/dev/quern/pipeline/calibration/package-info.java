/**
 * Calibrated compression: a decoder runs over samples, one layer at a time, and what goes into its
 * linear layers decides their codes and scales.
 *
 * <pre>
 *   for each layer:  map weights -&gt; run all samples, LayerCollector watches
 *                    -&gt; LayerSolver finds codes -&gt; ActivationScales finds scales -&gt; Sink
 *                    -&gt; run all samples again with the weights that were stored
 * </pre>
 *
 * <p>{@link dev.quern.pipeline.calibration.CalibrationPlan} decides from headers what each layer
 * has to watch; {@link dev.quern.pipeline.calibration.CalibrationRun} is the loop. What a module
 * becomes goes to a {@link dev.quern.pipeline.calibration.Sink} at once, and is forgotten with its
 * layer.
 *
 * <p>{@link dev.quern.pipeline.calibration.ActivationStore} holds the hidden states of all samples
 * between two layers, in memory as far as the budget goes and in a file beyond that.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>An input is watched once</b>, however many matrices read it: q, k and v share a Hessian.
 *   <li><b>Within a layer</b> all matrices see what the layer computes with its own weights; the
 *       next layer sees what it computes with the stored ones.
 *   <li><b>Only solved weights are replaced</b> for that. Rounding to nearest and quantized
 *       activations are not simulated: the reference does not do so either, and its scales would
 *       not be met otherwise.
 *   <li><b>Every scale is finite and positive.</b> What no sample reached gets a fallback, and is
 *       named in the outcome.
 *   <li><b>Same samples, same bytes</b>: for any threads, vectors and memory.
 * </ul>
 *
 * <p>What may happen here: order, memory, which statistic feeds which scale. What may not: formulas
 * of scales and codes (those are {@code engine.quantization} and {@code engine.solver}), choosing
 * modules (that is the planner's), files.
 */
package dev.quern.pipeline.calibration;
