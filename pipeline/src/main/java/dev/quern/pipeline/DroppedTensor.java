package dev.quern.pipeline;

import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.Dropped;
import dev.quern.pipeline.source.SourceModel;
import java.util.List;

/**
 * A tensor of a quantized source that means nothing without that quantization, and is not carried
 * over.
 *
 * @param tensor name, dtype and shape
 * @param file name of its file
 * @param reason why, a few words
 */
public record DroppedTensor(TensorSpec tensor, String file, String reason) {
  static List<DroppedTensor> of(SourceModel model) {
    return model.dropped().stream().map(DroppedTensor::of).toList();
  }

  private static DroppedTensor of(Dropped dropped) {
    return new DroppedTensor(
        dropped.tensor().info().spec(),
        dropped.tensor().file().path().getFileName().toString(),
        dropped.reason());
  }

  /** Full name. */
  public String name() {
    return tensor.name();
  }

  /** Its dimensions, outermost first. */
  public List<Long> shape() {
    return tensor.shape();
  }

  /** Its element type under the name that safetensors uses. */
  public String dtype() {
    return tensor.dtype().name();
  }

  /** Its bytes. */
  public long bytes() {
    return tensor.bytes();
  }
}
