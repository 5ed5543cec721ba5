package dev.quern.formats.safetensors;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.json.Utf8Text;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A tensor to be written.
 *
 * @param name its name; not {@code __metadata__}, which the format keeps for itself
 * @param dtype its element type
 * @param shape its dimensions, outermost first; empty for a scalar
 */
public record TensorSpec(String name, DType dtype, List<Long> shape) {
  /**
   * @throws IllegalArgumentException when the name is reserved or not valid Unicode, a dimension is
   *     negative, the size overflows 64 bits, or the elements do not fill whole bytes
   */
  public TensorSpec {
    Objects.requireNonNull(dtype);
    shape = List.copyOf(shape);
    String shown = JsonWriter.quote(name);
    if (name.equals(Header.METADATA)) {
      throw new IllegalArgumentException(shown + " is a reserved name; no tensor can have it");
    }
    if (!Utf8Text.isWellFormed(name)) {
      throw new IllegalArgumentException(shown + " holds half a surrogate pair");
    }
    if (shape.stream().anyMatch(dimension -> dimension < 0)) {
      throw new IllegalArgumentException(shown + " has a negative dimension: " + shape);
    }
    try {
      if (TensorSize.bits(dtype, TensorSize.elements(shape)) % 8 != 0) {
        throw new IllegalArgumentException(
            shown + ": " + dtype + " " + shape + " does not fill whole bytes");
      }
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(shown + ": " + dtype + " " + shape + " is too large", e);
    }
  }

  /** A tensor of this name, element type and shape; no dimension makes a scalar. */
  public static TensorSpec of(String name, DType dtype, long... shape) {
    return new TensorSpec(name, dtype, Arrays.stream(shape).boxed().toList());
  }

  /** Number of elements. */
  public long elements() {
    return TensorSize.elements(shape);
  }

  /** Number of bytes. */
  public long bytes() {
    return TensorSize.bits(dtype, elements()) / 8;
  }
}
