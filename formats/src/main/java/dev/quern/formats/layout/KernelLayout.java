package dev.quern.formats.layout;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;

/**
 * What a kernel reads for one module: the layouts of its weight, scales, zero points and whatever
 * else it wants, under one id.
 *
 * <p>What a plan does not {@linkplain PackedTensor#restores() restore} stays in the packed
 * checkpoint as it was, so that the logical one can always be had back.
 */
public interface KernelLayout {
  /** Name and version, such as {@code marlin-i4-a16@1}. */
  String id();

  /** What kernel it is for, a short sentence. */
  String title();

  /**
   * The tensors that take the module's place.
   *
   * @throws LayoutException when the kernel cannot take such a module
   */
  List<PackedTensor> plan(QuantizedMatrix module);

  /** Whether it takes weights that are not quantized, {@link QuantizedMatrix.Codes#FLOAT16}. */
  default boolean takesPlain() {
    return false;
  }

  /**
   * Refuses a module for what is in it, for kernels that cannot take every number: weights that are
   * not 2:4, scales that are no powers of two. Called once, after {@link #plan} and before anything
   * is packed.
   *
   * @param logical the module's logical tensors by name
   * @throws LayoutException when the kernel cannot take this module
   */
  default void requireData(QuantizedMatrix module, Function<String, MemorySegment> logical) {}
}
