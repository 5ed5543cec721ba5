package dev.quern.formats.layout;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** All layouts of single tensors, by id. */
public final class Layouts {
  // One line a family; a family's class lists its layouts.
  private static final List<Layout> ALL =
      Stream.of(
              CheckpointLayouts.ALL,
              GptqLayouts.ALL,
              MarlinLayouts.ALL,
              AllSparkLayouts.ALL,
              Marlin24Layouts.ALL,
              SparseLayouts.ALL,
              MacheteLayouts.ALL,
              CutlassW4A8Scales.ALL,
              BlockScaleLayouts.ALL,
              RowLayouts.ALL,
              TrtllmLayouts.ALL,
              DeepGemmLayouts.ALL,
              AiterLayouts.ALL,
              CpuLayouts.ALL)
          .flatMap(List::stream)
          .toList();

  private Layouts() {}

  /** All of them, family by family. */
  public static List<Layout> all() {
    return ALL;
  }

  /** The layout of that id, or empty. */
  public static Optional<Layout> named(String id) {
    return ALL.stream().filter(layout -> layout.id().equals(id)).findFirst();
  }
}
