package dev.quern.formats.layout;

import java.util.List;

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
}
