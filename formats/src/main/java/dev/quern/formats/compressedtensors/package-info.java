/**
 * The compressed-tensors format: what a compressed checkpoint says about itself, and which tensors
 * it has.
 *
 * <p>Start here:
 *
 * <ul>
 *   <li>{@link dev.quern.formats.compressedtensors.QuantizationConfig} is the {@code
 *       quantization_config} of a config.json, read and written; its parts are {@link
 *       dev.quern.formats.compressedtensors.QuantizationScheme} and {@link
 *       dev.quern.formats.compressedtensors.QuantizationArgs}.
 *   <li>{@link dev.quern.formats.compressedtensors.PresetSchemes} is the table of named schemes.
 *   <li>{@link dev.quern.formats.compressedtensors.TensorClassifier} says what each tensor of a
 *       source checkpoint is; {@link dev.quern.formats.compressedtensors.ModuleMatcher} applies
 *       targets and ignore; {@link dev.quern.formats.compressedtensors.IgnoreList} writes down what
 *       was left alone.
 *   <li>{@link dev.quern.formats.compressedtensors.CompressedTensorNames} gives the names, dtypes
 *       and shapes that take the place of a weight.
 * </ul>
 *
 * <p>Names and rules are those of compressed-tensors 0.18 and llm-compressor, so that vLLM and
 * transformers load what we write; where we do otherwise, the class says so. Nothing here computes
 * a number of a tensor or opens a file.
 */
package dev.quern.formats.compressedtensors;
