package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.util.ArrayList;
import java.util.List;

/**
 * Marlin for FP8 weights: bytes as they are, and scales rounded to the activations' type and
 * multiplied by {@code 2^8} (F16) or {@code 2^120} (BF16), because the kernel moves exponents
 * instead of converting them.
 *
 * <p>One scale is repeated for all outputs, a 128 x 128 block's for its 128, and blocks become
 * groups of 128 inputs.
 *
 * <p>Source: vLLM 017e9f44, {@code marlin_utils_fp8.py}, {@code prepare_fp8_layer_for_marlin} and
 * {@code fp8_fused_exponent_bias_into_scales}.
 */
final class MarlinFp8 extends Named {
  static final KernelLayout BF16 = new MarlinFp8("marlin-fp8-bf16@1", FloatType.BF16, 0x1p120f);
  static final KernelLayout FP16 = new MarlinFp8("marlin-fp8-fp16@1", FloatType.F16, 0x1p8f);

  private final FloatType activations;
  private final float bias;

  private MarlinFp8(String id, FloatType activations, float bias) {
    super(id, "Marlin, FP8 weights, " + activations + " activations");
    this.activations = activations;
    this.bias = bias;
  }

  @Override
  public List<PackedTensor> plan(QuantizedMatrix module) {
    require(
        module.codes() == Codes.E4M3,
        "FP8 weights",
        module.codes() + " of " + module.bits() + " bits");
    TensorType scaleType = Plans.type(module, Plans.SCALE);
    FloatType stored =
        FloatType.of(scaleType.dtype())
            .orElseThrow(() -> new LayoutException("float scales", scaleType.dtype().toString()));
    require(
        module.dtype() == activations.dtype(),
        activations + " activations",
        module.dtype().toString());
    boolean blocks = module.groups() > 1;
    require(
        !blocks || module.blockColumns() == 128,
        "one scale, scales by channel, or blocks of 128 inputs",
        "a scale for " + module.blockRows() + " x " + module.blockColumns() + " weights");
    MarlinPadding padding = MarlinPadding.of(module.n(), module.k(), blocks ? 128 : 1);
    long groups = blocks ? padding.k() / 128 : 1;
    Layout layout = groups > 1 ? MarlinLayouts.SCALES_GROUP : MarlinLayouts.SCALES_CHANNEL;
    PackedShape shape = layout.shape(module.n(), module.groups(), padding.n(), groups);
    List<PackedTensor> tensors =
        new ArrayList<>(MarlinKernels.weight(module, MarlinLayouts.WEIGHT_8, padding));
    tensors.add(
        MarlinScales.converted(
            module,
            new TensorType(activations.dtype(), shape.dimensions()),
            "scale * 2^" + Math.getExponent(bias),
            layout,
            shape,
            (scales, n, j) -> {
              long at = n / module.blockRows() * module.groups() + j;
              float scale = activations.round(stored.load(scales, at * stored.bytes()));
              return activations.encode(scale * bias);
            }));
    if (module.tensor(Plans.BIAS).isPresent()) {
      tensors.add(Plans.bias(module, MarlinLayouts.SCALES_CHANNEL, padding.n()));
    }
    return tensors;
  }
}
