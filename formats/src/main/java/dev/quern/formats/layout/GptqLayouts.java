package dev.quern.formats.layout;

import java.util.List;

/** Layouts of AutoGPTQ. */
public final class GptqLayouts {
  /** {@code qweight} with 4 bits. */
  public static final Layout WEIGHT_4 = new Gptq("gptq-weight-b4@1", 4);

  static final List<Layout> ALL = List.of(WEIGHT_4);

  private GptqLayouts() {}
}
