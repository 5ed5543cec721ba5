package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp16;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Marlin for NVFP4 weights: codes as INT4's, and block scales as bytes with 5 bits of exponent and
 * 3 of mantissa, without a sign.
 *
 * <pre>
 *   sf = 1 for F16;  for BF16  2^floor(log2(448 / max))  when max &lt; 448, else 1
 *   t = s * sf * 128 in F16;  0 when t &lt; 2;  byte = bits 14..7 of t
 *   global = 1 / weight_global_scale * 2^7 (F16) or 2^119 (BF16) / sf
 * </pre>
 *
 * <p>The byte is exact except where {@code s * sf < 1/64}, which becomes zero. Therefore the
 * checkpoint's scales stay beside the kernel's.
 *
 * <p>Source: vLLM 017e9f44, {@code marlin_utils_fp4.py}, {@code nvfp4_marlin_process_scales} and
 * {@code nvfp4_marlin_process_global_scale}.
 */
final class MarlinNvfp4 extends Named {
  static final KernelLayout BF16 = new MarlinNvfp4("marlin-nvfp4-bf16@1", FloatType.BF16, 0x1p119f);
  static final KernelLayout FP16 = new MarlinNvfp4("marlin-nvfp4-fp16@1", FloatType.F16, 0x1p7f);

  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final String LOGICAL_GLOBAL = "weight_global_scale";
  private static final int GROUP = 16;
  private static final float LARGEST = 448;

  private final FloatType activations;
  private final float bias;

  private MarlinNvfp4(String id, FloatType activations, float bias) {
    super(id, "Marlin, NVFP4 weights, " + activations + " activations");
    this.activations = activations;
    this.bias = bias;
  }

  @Override
  public List<PackedTensor> plan(QuantizedMatrix module) {
    require(
        module.codes() == Codes.E2M1 && module.blockColumns() == GROUP && module.scalesByRow(),
        "NVFP4 weights",
        module.codes() + " codes with a scale for " + module.blockColumns());
    require(
        module.dtype() == activations.dtype(),
        activations + " activations",
        module.dtype().toString());
    DType scale = Plans.type(module, Plans.SCALE).dtype();
    require(scale == DType.F8_E4M3, "scales in F8_E4M3", scale.toString());
    TensorType global = Plans.type(module, LOGICAL_GLOBAL);
    require(
        global.equals(TensorType.of(DType.F32, 1)), "a global scale F32 [1]", global.toString());
    MarlinPadding padding = MarlinPadding.of(module.n(), module.k(), GROUP);
    Layout layout = MarlinLayouts.SCALES_BYTES;
    PackedShape shape = layout.shape(module.n(), module.groups(), padding.n(), padding.k() / GROUP);
    List<PackedTensor> tensors =
        new ArrayList<>(MarlinKernels.weight(module, MarlinLayouts.WEIGHT_4, padding));
    tensors.add(
        MadeTensor.of(
                MarlinScales.SCALE,
                new TensorType(DType.U8, shape.dimensions()),
                "s0e5m3",
                Plans.SCALE,
                (logical, target) -> {
                  MemorySegment scales = logical.apply(Plans.SCALE);
                  float factor = factor(scales);
                  MarlinScales.converted(
                          module,
                          new TensorType(DType.U8, shape.dimensions()),
                          "",
                          layout,
                          shape,
                          (all, n, j) -> code(all, n * module.groups() + j, factor))
                      .pack(logical, target);
                })
            .in(layout, shape));
    tensors.add(
        MadeTensor.of(
            MarlinScales.GLOBAL,
            TensorType.of(DType.F32, 1),
            "1 / global * 2^" + Math.getExponent(bias) + " / sf",
            LOGICAL_GLOBAL,
            (logical, target) -> {
              float reciprocal = 1f / logical.apply(LOGICAL_GLOBAL).get(F32, 0);
              target.set(F32, 0, reciprocal * bias / factor(logical.apply(Plans.SCALE)));
            }));
    if (module.tensor(Plans.BIAS).isPresent()) {
      tensors.add(Plans.bias(module, MarlinLayouts.SCALES_CHANNEL, padding.n()));
    }
    return tensors;
  }

  /** The power of two that brings the largest scale to 448; 1 for F16. */
  private float factor(MemorySegment scales) {
    if (activations == FloatType.F16) {
      return 1;
    }
    float max = 0;
    for (long at = 0; at < scales.byteSize(); at++) {
      max = Math.max(max, Fp8E4M3.decode(scales.get(ValueLayout.JAVA_BYTE, at)));
    }
    return max > 0 && max < LARGEST ? (float) Math.scalb(1.0, Math.getExponent(LARGEST / max)) : 1;
  }

  private static int code(MemorySegment scales, long at, float factor) {
    float scale = Fp8E4M3.decode(scales.get(ValueLayout.JAVA_BYTE, at)) * factor;
    float shifted = Fp16.decode(Fp16.encode(scale * 128));
    return shifted < 2 ? 0 : (Fp16.encode(shifted) << 1 & 0xFFFF) >> 8;
  }
}
