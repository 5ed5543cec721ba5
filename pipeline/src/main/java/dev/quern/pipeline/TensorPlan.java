package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.List;
import java.util.Optional;

/**
 * The fate of one source tensor.
 *
 * @param source name, dtype, shape and place in its file
 * @param file name of the source file
 * @param module full name of the module that holds it
 * @param reason why this fate, a few words
 * @param scheme how it is quantized; empty when it is copied
 * @param outputs what is written in its place: itself, or the parameters of the format
 */
public record TensorPlan(
    TensorInfo source,
    String file,
    String module,
    String reason,
    Optional<QuantizationScheme> scheme,
    List<TensorSpec> outputs) {
  /** Copies the list. */
  public TensorPlan {
    outputs = List.copyOf(outputs);
  }

  /** Full name of the source tensor. */
  public String name() {
    return source.name();
  }

  /** Its dimensions, outermost first. */
  public List<Long> shape() {
    return source.shape();
  }

  /** Its element type under the name that safetensors uses. */
  public String dtype() {
    return source.dtype().name();
  }

  /** {@code quantize} or {@code copy}. */
  public String fate() {
    return scheme.isPresent() ? "quantize" : "copy";
  }

  /** Bytes in the source. */
  public long bytesBefore() {
    return source.bytes();
  }

  /** Bytes in the output. */
  public long bytesAfter() {
    return outputs.stream().mapToLong(TensorSpec::bytes).sum();
  }

  /** Source elements. */
  public long elements() {
    return source.elements();
  }
}
