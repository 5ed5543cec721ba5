package dev.quern.formats.layout;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** All layouts of modules, by id. */
public final class KernelLayouts {
  // One line a family; a family's class lists its layouts, the usual one first.
  private static final List<KernelLayout> ALL =
      Stream.of(
              MarlinKernels.ALL,
              GptqKernels.ALL,
              AllSparkKernel.ALL,
              HopperKernels.ALL,
              Marlin24Kernel.ALL,
              SemiStructuredKernels.ALL,
              BlackwellKernels.ALL,
              DeepGemmKernels.ALL,
              AiterKernels.ALL,
              CpuKernels.ALL)
          .flatMap(List::stream)
          .toList();

  private KernelLayouts() {}

  /** All of them, family by family. */
  public static List<KernelLayout> all() {
    return ALL;
  }

  /** The layout of that id, or empty. */
  public static Optional<KernelLayout> named(String id) {
    return ALL.stream().filter(layout -> layout.id().equals(id)).findFirst();
  }

  /**
   * The layouts that a user's word means: the one of that id, or of that name in its newest
   * version, or all of a family, such as {@code marlin}.
   */
  public static List<KernelLayout> matching(String word) {
    return ALL.stream()
        .filter(
            layout ->
                layout.id().equals(word)
                    || layout.id().startsWith(word + "@")
                    || layout.id().startsWith(word + "-"))
        .toList();
  }
}
