package dev.quern.formats.huggingface;

import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;

/**
 * A tensor of a checkpoint and the file that holds it.
 *
 * @param file the open file
 * @param info what the file's header says about the tensor
 */
public record SourceTensor(SafetensorsFile file, TensorInfo info) {
  /** The tensor's name. */
  public String name() {
    return info.name();
  }
}
