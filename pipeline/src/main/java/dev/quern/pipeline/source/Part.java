package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.SourceTensor;

/**
 * What a weight takes of one tensor in a file.
 *
 * @param tensor the tensor
 * @param bytes how many of its bytes are this weight's: all of them, or the share of one expert
 */
public record Part(SourceTensor tensor, long bytes) {
  static Part whole(SourceTensor tensor) {
    return new Part(tensor, tensor.info().bytes());
  }
}
