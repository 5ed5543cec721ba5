package dev.quern.pipeline;

import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.Part;
import dev.quern.pipeline.source.SourceWeight;
import java.util.List;

/**
 * What a weight takes of one tensor in a source file.
 *
 * @param tensor name, dtype and shape of the tensor
 * @param file name of its file
 * @param bytes how many of its bytes are this weight's
 */
public record SourcePart(TensorSpec tensor, String file, long bytes) {
  static List<SourcePart> of(SourceWeight weight) {
    return weight.parts().stream().map(SourcePart::of).toList();
  }

  private static SourcePart of(Part part) {
    return new SourcePart(
        part.tensor().info().spec(),
        part.tensor().file().path().getFileName().toString(),
        part.bytes());
  }
}
