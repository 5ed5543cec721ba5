package dev.quern.pipeline.report;

/**
 * Tensors that were not quantized, and why.
 *
 * @param reason a few words
 * @param fate {@code copy}, {@code split}, {@code convert}, {@code dequantize} or {@code drop}
 * @param tensors how many
 * @param bytes of them, as written; of dropped ones, as found
 * @param example name of the first
 */
public record KeptTensors(String reason, String fate, long tensors, long bytes, String example) {}
