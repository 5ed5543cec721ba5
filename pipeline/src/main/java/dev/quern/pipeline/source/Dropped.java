package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.SourceTensor;

/**
 * A tensor that no weight takes and that means nothing in a plain checkpoint.
 *
 * @param tensor the tensor
 * @param reason why it is not carried over, a few words
 */
public record Dropped(SourceTensor tensor, String reason) {}
