/**
 * The forward pass of decoders: for calibration, which watches what goes into each linear layer,
 * and for evaluation, which wants logits.
 *
 * <p>A decoder is data: {@link dev.quern.engine.model.DecoderSpec} says which norms, which
 * attention, which experts each layer has and under which names its weights are found. Nothing here
 * knows a model by name.
 *
 * <pre>{@code
 * new Embedding(spec, weights).lookUp(workspace, ids, x);
 * for (LayerSpec layer : spec.layers()) {
 *   new DecoderLayer(layer, weights).forward(workspace, x, observer);
 * }
 * new Head(spec, weights).logits(workspace, x, LayerObserver.NONE, consumer);
 * }</pre>
 *
 * <p>{@link dev.quern.engine.model.Weights} gives tensors by name, and {@link
 * dev.quern.engine.model.LayerObserver} is shown the input of each linear layer, keys and values.
 * Calibration runs one layer over all samples before it maps the next one's weights. {@link
 * dev.quern.engine.model.KeyValueCache} lets a sequence grow token by token.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>Activations are f32; weights stay in their type</b> and are widened as products read
 *       them. Every result has one definition: products that of {@code engine.linalg.Gemm}, the
 *       rest that of {@code engine.kernel.DecoderKernels}. Threads, vector widths and tiles change
 *       no bit.
 *   <li><b>No token knows another sample.</b> A forward pass takes one sample, so there is no
 *       padding that would have to be masked.
 *   <li><b>Of scores, a tile is held</b>: {@code 64 * tokens} for each thread.
 *   <li><b>An expert that no token chose is not called</b>, and so an observer hears nothing of it.
 * </ul>
 *
 * <p>Threads: a {@link dev.quern.engine.model.DecoderWorkspace} runs one forward pass at a time, on
 * its workers or on the calling thread.
 *
 * <p>What may happen here: what a layer computes, in which order. What may not: innermost loops
 * (those are {@code engine.kernel}), reading configurations (that is {@code pipeline.model}), what
 * statistics are for.
 */
package dev.quern.engine.model;
