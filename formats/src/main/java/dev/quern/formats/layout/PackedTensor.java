package dev.quern.formats.layout;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Function;

/**
 * One tensor that a kernel reads, planned from names and shapes: how it is made of a module's
 * logical tensors, and which of them it gives back.
 *
 * <p>Tensors are handed in by a function from a parameter's name to its bytes.
 */
public interface PackedTensor {
  /** The parameter's name in the packed module. */
  String name();

  /** Its element type and shape. */
  TensorType type();

  /** The layout and sizes, for tensors that a {@link Layout} makes. */
  default Optional<Placement> placement() {
    return Optional.empty();
  }

  /** A word for how the tensor is made when it is no mere layout of another one. */
  Optional<String> conversion();

  /** The logical parameter that it is made of; empty for constants. */
  Optional<String> source();

  /** Whether {@link #unpack} gives {@link #source} back, bit for bit. */
  boolean restores();

  /**
   * Makes the tensor.
   *
   * @param logical the module's logical tensors by name
   * @param target receives {@code type().bytes()} bytes
   */
  void pack(Function<String, MemorySegment> logical, MemorySegment target);

  /**
   * Gives the source back.
   *
   * @param packed the module's packed tensors by name
   * @param target receives the bytes of {@link #source}
   * @throws UnsupportedOperationException when {@link #restores} is false
   */
  void unpack(Function<String, MemorySegment> packed, MemorySegment target);

  /**
   * A layout with the sizes that it is applied to.
   *
   * @param layout the layout
   * @param shape of matrix and tensor
   */
  record Placement(Layout layout, PackedShape shape) {}
}
