package dev.quern.formats.layout;

import dev.quern.formats.layout.GptqKernels.Named;
import java.util.List;

/**
 * AllSpark: 8-bit symmetric weights with a scale for each output.
 *
 * <p>Source: vLLM 017e9f44, {@code kernels/linear/mixed_precision/allspark.py}.
 */
final class AllSparkKernel extends Named {
  static final List<KernelLayout> ALL = List.of(new AllSparkKernel());

  private static final int BLOCK = 32;

  private AllSparkKernel() {
    super("allspark-i8@1", "AllSpark, 8-bit integers by channel, 16-bit activations");
  }

  @Override
  public List<PackedTensor> plan(QuantizedMatrix module) {
    Plans.requireInts(module, 8);
    Plans.requireSymmetric(module);
    Plans.requireNoActOrder(module);
    LayoutException.require(
        module.groups() == 1, "scales by channel", "groups of " + module.blockColumns());
    Plans.requireMultiple("K", module.k(), 16);
    long n = Math.ceilDiv(module.n(), BLOCK) * BLOCK;
    Layout weight = AllSparkLayouts.WEIGHT;
    return List.of(
        Plans.weight(module.weight(), module, weight, weight.shape(module.n(), module.k())),
        Plans.scales(Plans.SCALE, module, AllSparkLayouts.SCALES, n, 1));
  }
}
