package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Scales of Marlin kernels that are computed, not only moved. The checkpoint's own stay beside
 * them, because the way back is not exact.
 */
final class MarlinScales {
  /** The packed scales; the checkpoint's keep their name. */
  static final String SCALE = "weight_scale_marlin";

  /** What the kernel multiplies by, a number for the whole matrix. */
  static final String GLOBAL = "weight_global_scale_marlin";

  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int INT_SCALE = 4096;
  private static final int FP8_FACTOR = 512;

  private MarlinScales() {}

  /** A number for element {@code (n, group)} from all scales. */
  interface Convert {
    /** The bits to store, of the layout's width. */
    int bits(MemorySegment scales, long n, long group);
  }

  /** A tensor of {@code layout}, whose numbers {@code convert} makes. */
  static PackedTensor converted(
      QuantizedMatrix module,
      TensorType type,
      String what,
      Layout layout,
      PackedShape shape,
      Convert convert) {
    return Computed.tensor(
        SCALE,
        type.dtype(),
        what,
        Plans.SCALE,
        layout,
        shape,
        tensors -> {
          MemorySegment scales = tensors.apply(Plans.SCALE);
          return (n, j) -> convert.bits(scales, n, j);
        });
  }

  /** Times 512, for codes without their bias. */
  static List<PackedTensor> forFp8Activations(QuantizedMatrix module, MarlinPadding padding) {
    FloatType type = type(module);
    Layout layout = MarlinLayouts.SCALES_CHANNEL;
    PackedShape shape = shape(module, layout, padding);
    return List.of(
        converted(
            module,
            new TensorType(type.dtype(), shape.dimensions()),
            "scale * 512",
            layout,
            shape,
            (scales, n, j) -> type.encode(at(type, module, scales, n, j) * FP8_FACTOR)));
  }

  /**
   * With one group, moved. With several, integers of 12 bits relative to the largest scale: {@code
   * rint(R(R(s / max) * 4096))}, and the factor {@code max / 4096}.
   */
  static List<PackedTensor> forInt8Activations(QuantizedMatrix module, MarlinPadding padding) {
    Layout layout = MarlinLayouts.SCALES_CHANNEL;
    long groups = MarlinKernels.groups(module, padding);
    if (groups == 1) {
      return List.of(Plans.scales(Plans.SCALE, module, layout, padding.n(), groups));
    }
    FloatType type = type(module);
    PackedShape shape = shape(module, layout, padding);
    PackedTensor scales =
        MadeTensor.of(
                SCALE,
                new TensorType(type.dtype(), shape.dimensions()),
                "int16 rint(scale / max * 4096)",
                Plans.SCALE,
                (tensors, target) -> {
                  float max = max(type, tensors.apply(Plans.SCALE));
                  converted(
                          module,
                          new TensorType(type.dtype(), shape.dimensions()),
                          "",
                          layout,
                          shape,
                          (all, n, j) -> {
                            float share = type.round(at(type, module, all, n, j) / max);
                            return (int) Math.rint(type.round(share * INT_SCALE));
                          })
                      .pack(tensors, target);
                })
            .in(layout, shape);
    PackedTensor factor =
        MadeTensor.of(
            GLOBAL,
            TensorType.of(DType.F32, 1),
            "max / 4096",
            Plans.SCALE,
            (tensors, target) ->
                target.set(F32, 0, max(type, tensors.apply(Plans.SCALE)) / INT_SCALE));
    return List.of(scales, factor);
  }

  private static PackedShape shape(QuantizedMatrix module, Layout layout, MarlinPadding padding) {
    return layout.shape(
        module.n(), module.groups(), padding.n(), MarlinKernels.groups(module, padding));
  }

  private static FloatType type(QuantizedMatrix module) {
    return FloatType.of(Plans.type(module, Plans.SCALE).dtype()).orElseThrow();
  }

  private static float at(
      FloatType type, QuantizedMatrix module, MemorySegment scales, long n, long group) {
    return type.load(scales, (n * module.groups() + group) * type.bytes());
  }

  private static float max(FloatType type, MemorySegment scales) {
    float max = 0;
    for (long at = 0; at < scales.byteSize(); at += type.bytes()) {
      max = Math.max(max, type.load(scales, at));
    }
    return max;
  }
}
