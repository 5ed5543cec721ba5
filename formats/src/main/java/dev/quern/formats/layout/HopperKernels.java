package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.layout.GptqKernels.Named;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What vLLM's kernels for Hopper alone read: Machete, and CUTLASS's 4-bit integers by FP8.
 *
 * <p>Source: vLLM 017e9f44, {@code kernels/linear/mixed_precision/machete.py} and {@code
 * cutlass.py} beside it.
 */
final class HopperKernels {
  private static final KernelLayout MACHETE_4 = machete(4, MacheteLayouts.WEIGHT_4);
  private static final KernelLayout MACHETE_8 = machete(8, MacheteLayouts.WEIGHT_8);

  private static final KernelLayout CUTLASS_W4A8 =
      new Named("cutlass-w4a8@1", "CUTLASS, 4-bit integers, FP8 activations") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return cutlass(module);
        }
      };

  static final List<KernelLayout> ALL = List.of(MACHETE_4, MACHETE_8, CUTLASS_W4A8);

  private static final String MACHETE_ZEROS = "weight_zero_point_machete";
  private static final String CUTLASS_PRODUCTS = "weight_scale_cutlass";
  private static final String CUTLASS_CHANNELS = "weight_chan_scale";
  private static final int CUTLASS_GROUP = 128;

  private HopperKernels() {}

  private static KernelLayout machete(int bits, Layout layout) {
    return new Named("machete-i" + bits + "@1", "Machete, " + bits + "-bit integers") {
      @Override
      public List<PackedTensor> plan(QuantizedMatrix module) {
        Plans.requireInts(module, bits);
        long group = module.blockColumns();
        require(
            module.groups() == 1 || group == 64 || group == 128,
            "groups of 64 or 128, or scales by channel",
            "groups of " + group);
        Plans.requireMultiple("N", module.n(), layout.tileRows());
        Plans.requireMultiple("K", module.k(), layout.tileColumns());
        PackedShape shape = layout.shape(module.n(), module.k());
        LaidTensor weight = Plans.weight(module.weight(), module, layout, shape);
        List<PackedTensor> tensors = new ArrayList<>();
        if (module.hasGroupIndex()) {
          tensors.add(weight.inActOrder());
          tensors.addAll(ActOrder.tensors(module));
        } else {
          tensors.add(weight);
        }
        tensors.add(
            Plans.scales(Plans.SCALE, module, GptqLayouts.SCALES, module.n(), module.groups()));
        if (module.hasZeroPoint()) {
          tensors.add(macheteZeros(module));
        }
        return tensors;
      }
    };
  }

  /** {@code -s * z}, rounded to the scales' type: the kernel adds it to {@code s * code}. */
  private static PackedTensor macheteZeros(QuantizedMatrix module) {
    Layout stored = Plans.storedZeros(module);
    PackedShape from = stored.shape(module.n(), module.groups());
    FloatType type = FloatType.of(Plans.type(module, Plans.SCALE).dtype()).orElseThrow();
    int bits = module.bits();
    long rowBits = Math.ceilDiv(module.groups() * bits, Byte.SIZE) * Byte.SIZE;
    return Computed.tensor(
        MACHETE_ZEROS,
        type.dtype(),
        "-scale * zero",
        Plans.ZERO_POINT,
        GptqLayouts.SCALES,
        GptqLayouts.SCALES.shape(module.n(), module.groups()),
        logical -> {
          MemorySegment scales = logical.apply(Plans.SCALE);
          byte[] zeros = new byte[Math.toIntExact(module.n() * rowBits / Byte.SIZE)];
          MemorySegment rows = MemorySegment.ofArray(zeros);
          stored.unpack(from, logical.apply(Plans.ZERO_POINT), rows, rowBits / Byte.SIZE);
          return (n, j) -> {
            long at = n * rowBits + j * bits;
            int zero = (zeros[(int) (at >> 3)] & 0xFF) >> (at & 7) & (1 << bits) - 1;
            float scale = type.load(scales, (n * module.groups() + j) * type.bytes());
            return type.encode(-scale * zero);
          };
        });
  }

  private static List<PackedTensor> cutlass(QuantizedMatrix module) {
    Plans.requireInts(module, 4);
    Plans.requireSymmetric(module);
    Plans.requireNoActOrder(module);
    require(
        module.blockColumns() == CUTLASS_GROUP,
        "groups of 128",
        "groups of " + module.blockColumns());
    DType scale = Plans.type(module, Plans.SCALE).dtype();
    require(scale == DType.BF16, "scales in BF16", scale.toString());
    Layout layout = CutlassW4A8Scales.WEIGHT;
    Plans.requireMultiple("N", module.n(), layout.tileRows());
    Plans.requireMultiple("K", module.k(), layout.tileColumns());
    PackedShape shape = layout.shape(module.n(), module.k());
    TensorType products =
        TensorType.of(DType.F8_E4M3, module.groups(), module.n(), CutlassW4A8Scales.PRODUCTS);
    TensorType channels = TensorType.of(DType.F32, module.n());
    return List.of(
        Plans.weight(module.weight(), module, layout, shape),
        MadeTensor.of(
            CUTLASS_PRODUCTS,
            products,
            "e4m3(scale / channel) * -8..-1",
            Plans.SCALE,
            (logical, target) ->
                cutlassScales(module, logical.apply(Plans.SCALE), target, scratch(channels))),
        MadeTensor.of(
            CUTLASS_CHANNELS,
            channels,
            "8 * max(scales of a row) / 448",
            Plans.SCALE,
            (logical, target) ->
                cutlassScales(module, logical.apply(Plans.SCALE), scratch(products), target)));
  }

  private static void cutlassScales(
      QuantizedMatrix module,
      MemorySegment scales,
      MemorySegment products,
      MemorySegment channels) {
    float[] values = new float[Math.toIntExact(module.n() * module.groups())];
    for (int i = 0; i < values.length; i++) {
      values[i] = FloatType.BF16.load(scales, (long) i * FloatType.BF16.bytes());
    }
    CutlassW4A8Scales.pack(values, Math.toIntExact(module.n()), products, channels);
  }

  private static MemorySegment scratch(TensorType type) {
    return MemorySegment.ofArray(new byte[Math.toIntExact(type.bytes())]);
  }
}
