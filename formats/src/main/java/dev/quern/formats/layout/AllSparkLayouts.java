package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Layouts of AllSpark, a kernel for 8-bit weights and 16-bit activations.
 *
 * <p>Source: vLLM 017e9f44, {@code allspark_utils.py} and {@code allspark_repack.cu}.
 */
public final class AllSparkLayouts {
  /** Codes with bias 128. */
  public static final Layout WEIGHT = new AllSparkWeight("allspark-i8@1");

  /** 16-bit scales: of 32 outputs, {@code c} becomes {@code 4*(c%8) + c/8}. */
  public static final Layout SCALES =
      new Transposed("allspark-scales@1", 16, DType.I16, c -> 4 * (c % 8) + c / 8, 4, 8, 16, 1, 2);

  static final List<Layout> ALL = List.of(WEIGHT, SCALES);

  private AllSparkLayouts() {}
}
