package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.util.ArrayList;
import java.util.List;

/**
 * What the Marlin kernels read for each kind of module.
 *
 * <p>Modules are packed one by one. Where outputs are a multiple of 64, the tensors of modules that
 * an engine fuses are joined along their last dimension.
 *
 * <p>Source: vLLM 017e9f44, {@code marlin_utils.py}, {@code marlin_utils_fp8.py}, {@code
 * marlin_utils_fp4.py}, {@code kernels/linear/mixed_precision/marlin.py}.
 */
final class MarlinKernels {
  /** Groups that kernels for integers are compiled for, beside one a row. */
  private static final List<Long> GROUPS = List.of(32L, 64L, 128L);

  private static final KernelLayout INT_4 =
      new Named("marlin-i4-a16@1", "Marlin, 4-bit integers, 16-bit activations") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return integers(module, 4, MarlinLayouts.WEIGHT_4);
        }
      };

  private static final KernelLayout INT_8 =
      new Named("marlin-i8-a16@1", "Marlin, 8-bit integers, 16-bit activations") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireSymmetric(module);
          return integers(module, 8, MarlinLayouts.WEIGHT_8);
        }
      };

  private static final KernelLayout INT_4_A8 =
      new Named("marlin-i4-a8@1", "Marlin, 4-bit integers, INT8 activations") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return with8BitActivations(module, MarlinLayouts.WEIGHT_4_A8);
        }
      };

  private static final KernelLayout INT_4_F8 =
      new Named("marlin-i4-f8@1", "Marlin, 4-bit integers, FP8 activations") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireSymmetric(module);
          return with8BitActivations(module, MarlinLayouts.WEIGHT_4_F8);
        }
      };

  private static final KernelLayout MX_4 =
      new Named("marlin-mx4@1", "Marlin, MXFP4 weights, BF16 activations") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return microscaling(module, Codes.E2M1, MarlinLayouts.WEIGHT_4);
        }
      };

  private static final KernelLayout MX_8 =
      new Named("marlin-mx8@1", "Marlin, MXFP8 weights, BF16 activations") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return microscaling(module, Codes.E4M3, MarlinLayouts.WEIGHT_8);
        }
      };

  static final List<KernelLayout> ALL =
      List.of(
          INT_4,
          INT_8,
          MarlinFp8.BF16,
          MarlinFp8.FP16,
          MarlinNvfp4.BF16,
          MarlinNvfp4.FP16,
          MX_4,
          MX_8,
          INT_4_A8,
          INT_4_F8);

  private MarlinKernels() {}

  private static List<PackedTensor> integers(QuantizedMatrix module, int bits, Layout layout) {
    Plans.requireInts(module, bits);
    MarlinPadding padding = padding(module);
    List<PackedTensor> tensors = new ArrayList<>(weight(module, layout, padding));
    Layout scales = scaleLayout(module, padding);
    long groups = groups(module, padding);
    tensors.add(Plans.scales(Plans.SCALE, module, scales, padding.n(), groups));
    addZerosAndBias(tensors, module, MarlinLayouts.ZEROS_4, padding);
    return tensors;
  }

  private static List<PackedTensor> with8BitActivations(QuantizedMatrix module, Layout layout) {
    Plans.requireInts(module, 4);
    Plans.requireNoActOrder(module);
    MarlinPadding padding = padding(module);
    List<PackedTensor> tensors = new ArrayList<>(weight(module, layout, padding));
    tensors.addAll(
        layout == MarlinLayouts.WEIGHT_4_F8
            ? MarlinScales.forFp8Activations(module, padding)
            : MarlinScales.forInt8Activations(module, padding));
    addZerosAndBias(tensors, module, MarlinLayouts.ZEROS_4_A8, padding);
    return tensors;
  }

  private static List<PackedTensor> microscaling(
      QuantizedMatrix module, Codes codes, Layout layout) {
    Plans.requireMicroscaling(module, codes);
    MarlinPadding padding = MarlinPadding.of(module.n(), module.k(), 32);
    List<PackedTensor> tensors = new ArrayList<>(weight(module, layout, padding));
    long groups = groups(module, padding);
    Layout scales = MarlinLayouts.SCALES_BYTES;
    tensors.add(Plans.scales(Plans.SCALE, module, scales, padding.n(), groups));
    addZerosAndBias(tensors, module, MarlinLayouts.ZEROS_4, padding);
    return tensors;
  }

  /** The weight, and in act-order, the order with the sorted groups. */
  static List<PackedTensor> weight(QuantizedMatrix module, Layout layout, MarlinPadding padding) {
    PackedShape shape = layout.shape(module.n(), module.k(), padding.n(), padding.k());
    LaidTensor weight = Plans.weight(module.weight(), module, layout, shape);
    if (!module.hasGroupIndex()) {
      return List.of(weight);
    }
    require(
        !shape.padded(),
        "with act-order, N and K that need no padding",
        module.n() + " x " + module.k());
    List<PackedTensor> tensors = new ArrayList<>(List.of(weight.inActOrder()));
    tensors.addAll(ActOrder.tensors(module));
    return tensors;
  }

  private static MarlinPadding padding(QuantizedMatrix module) {
    boolean byChannel = module.groups() == 1;
    require(
        byChannel || GROUPS.contains(module.blockColumns()),
        "groups of 32, 64 or 128, or scales by channel",
        "groups of " + module.blockColumns());
    return MarlinPadding.of(module.n(), module.k(), byChannel ? 1 : module.blockColumns());
  }

  /** Rows of the scales: padded inputs bring groups of their own. */
  static long groups(QuantizedMatrix module, MarlinPadding padding) {
    return module.groups() == 1 ? 1 : padding.k() / module.blockColumns();
  }

  static Layout scaleLayout(QuantizedMatrix module, MarlinPadding padding) {
    return groups(module, padding) > 1 ? MarlinLayouts.SCALES_GROUP : MarlinLayouts.SCALES_CHANNEL;
  }

  static void addZerosAndBias(
      List<PackedTensor> tensors, QuantizedMatrix module, Layout zeros, MarlinPadding padding) {
    if (module.hasZeroPoint()) {
      long groups = groups(module, padding);
      tensors.add(Plans.zeros(Plans.ZERO_POINT, module, zeros, padding.n(), groups));
    }
    if (module.tensor(Plans.BIAS).isPresent()) {
      tensors.add(Plans.bias(module, MarlinLayouts.SCALES_CHANNEL, padding.n()));
    }
  }
}
