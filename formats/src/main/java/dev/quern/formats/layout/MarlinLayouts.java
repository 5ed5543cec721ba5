package dev.quern.formats.layout;

import java.util.List;

/** Layouts of the Marlin kernels. */
public final class MarlinLayouts {
  /** 4-bit codes (INT4, FP4) for 16-bit activations. */
  public static final Layout WEIGHT_4 = new MarlinWeight("marlin-i4-a16@1", 4);

  /** 8-bit codes (INT8 with bias 128, FP8) for 16-bit activations. */
  public static final Layout WEIGHT_8 = new MarlinWeight("marlin-i8-a16@1", 8);

  static final List<Layout> ALL = List.of(WEIGHT_4, WEIGHT_8);

  private MarlinLayouts() {}
}
