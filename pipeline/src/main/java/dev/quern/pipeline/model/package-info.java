/**
 * From a checkpoint to a decoder that {@code engine.model} runs: {@link
 * dev.quern.pipeline.model.DecoderReader} makes a description of config.json and the tensors'
 * names, {@link dev.quern.pipeline.model.MappedWeights} finds the tensors.
 *
 * <p>{@code Architecture} is the table of what is known, a row for each; {@code LayerTypes} and
 * {@code RopeReader} read what differs between layers and between versions of transformers. A model
 * of another type is refused with that list, and so is a tensor for which a known one has no place.
 *
 * <p>What may happen here: reading configurations and headers, mapping weights. What may not:
 * arithmetic on activations (that is {@code engine.model}).
 */
package dev.quern.pipeline.model;
