package dev.quern.formats.layout;

import static dev.quern.formats.layout.Plans.requireInts;
import static dev.quern.formats.layout.Plans.requireMultiple;
import static dev.quern.formats.layout.Plans.requireNoActOrder;
import static dev.quern.formats.layout.Plans.requireSymmetric;

import dev.quern.engine.numeric.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * AutoGPTQ's tensors and those that grew from them: {@code qweight}, {@code qzeros}, {@code
 * scales}, {@code g_idx}.
 */
final class GptqKernels {
  private static final KernelLayout V2 =
      new Named("gptq-v2@1", "AutoGPTQ, zero points as they are") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return gptq(module, true);
        }
      };

  private static final KernelLayout V1 =
      new Named("gptq-v1@1", "AutoGPTQ, zero points less one") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return gptq(module, false);
        }
      };

  private static final KernelLayout AWQ =
      new Named("awq-gemm@1", "AutoAWQ's GEMM kernel") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return byOutput(module, GptqLayouts.AWQ);
        }
      };

  private static final KernelLayout TRITON =
      new Named("triton-w4a16@1", "vLLM's Triton kernel for 4-bit weights") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          return byOutput(module, GptqLayouts.TRITON);
        }
      };

  private static final KernelLayout EXLLAMA_4 = exllama(4, GptqLayouts.EXLLAMA_4);
  private static final KernelLayout EXLLAMA_2 = exllama(2, GptqLayouts.EXLLAMA_2);
  private static final KernelLayout EXLLAMA_8 = exllama(8, GptqLayouts.WEIGHT_8);

  static final List<KernelLayout> ALL =
      List.of(V2, V1, AWQ, TRITON, EXLLAMA_4, EXLLAMA_2, EXLLAMA_8);

  private GptqKernels() {}

  /** A kernel's layout with a name. */
  abstract static class Named implements KernelLayout {
    private final String id;
    private final String title;

    Named(String id, String title) {
      this.id = id;
      this.title = title;
    }

    @Override
    public String id() {
      return id;
    }

    @Override
    public String title() {
      return title;
    }
  }

  private static List<PackedTensor> gptq(QuantizedMatrix module, boolean v2) {
    requireInts(module, 2, 3, 4, 8);
    requireMultiple("K", module.k(), 32);
    requireMultiple("N", module.n(), 32);
    Layout weight =
        switch (module.bits()) {
          case 2 -> GptqLayouts.WEIGHT_2;
          case 3 -> GptqLayouts.WEIGHT_3;
          case 4 -> GptqLayouts.WEIGHT_4;
          default -> GptqLayouts.WEIGHT_8;
        };
    Layout zeros =
        switch (module.bits()) {
          case 2 -> v2 ? GptqLayouts.ZEROS_V2_2 : GptqLayouts.ZEROS_V1_2;
          case 4 -> v2 ? GptqLayouts.ZEROS_V2_4 : GptqLayouts.ZEROS_V1_4;
          default -> v2 ? GptqLayouts.ZEROS_V2_8 : GptqLayouts.ZEROS_V1_8;
        };
    int bias = 1 << module.bits() - 1;
    List<PackedTensor> tensors = new ArrayList<>();
    tensors.add(Plans.weight("qweight", module, weight, weight.shape(module.n(), module.k())));
    tensors.add(
        module.hasZeroPoint()
            ? Plans.zeros("qzeros", module, zeros, module.n(), module.groups())
            : sameZeros(module, v2 ? bias : bias - 1));
    tensors.add(scales(module));
    tensors.add(groupIndex(module));
    return tensors;
  }

  /** AWQ and Triton: words hold outputs, and scales stand beside them as they are. */
  private static List<PackedTensor> byOutput(QuantizedMatrix module, Layout layout) {
    requireInts(module, 4);
    requireNoActOrder(module);
    requireMultiple("N", module.n(), 8);
    return List.of(
        Plans.weight("qweight", module, layout, layout.shape(module.n(), module.k())),
        module.hasZeroPoint()
            ? Plans.zeros("qzeros", module, layout, module.n(), module.groups())
            : sameZeros(module, 8),
        scales(module));
  }

  private static KernelLayout exllama(int bits, Layout layout) {
    return new Named("exllama2-i" + bits + "@1", "ExLlama v2, " + bits + "-bit weights") {
      @Override
      public List<PackedTensor> plan(QuantizedMatrix module) {
        requireInts(module, bits);
        requireSymmetric(module);
        requireMultiple("K", module.k(), 32);
        requireMultiple("N", module.n(), 32);
        LaidTensor weight =
            Plans.weight("qweight", module, layout, layout.shape(module.n(), module.k()));
        List<PackedTensor> tensors = new ArrayList<>();
        if (module.hasGroupIndex()) {
          tensors.add(weight.inActOrder());
          tensors.addAll(ActOrder.tensors(module));
        } else {
          tensors.add(weight);
        }
        tensors.add(sameZeros(module, (1 << bits - 1) - 1));
        tensors.add(scales(module));
        return tensors;
      }
    };
  }

  private static PackedTensor scales(QuantizedMatrix module) {
    return Plans.scales("scales", module, GptqLayouts.SCALES, module.n(), module.groups());
  }

  /** {@code qzeros} of symmetric weights: one value in every field, fields along the outputs. */
  private static PackedTensor sameZeros(QuantizedMatrix module, int value) {
    int bits = module.bits();
    requireMultiple("N", module.n() * bits, Integer.SIZE);
    TensorType type = TensorType.of(DType.I32, module.groups(), module.n() * bits / Integer.SIZE);
    return MadeTensor.constant(
        "qzeros",
        type,
        "every zero point " + value,
        (tensors, target) -> {
          for (long at = 0; at < target.byteSize(); at++) {
            // A row is a whole number of words, and fields go on across words.
            long first = at % (type.last() * Integer.BYTES) * 8;
            int octet = 0;
            for (int b = 0; b < 8; b++) {
              octet |= (value >> (first + b) % bits & 1) << b;
            }
            target.set(ValueLayout.JAVA_BYTE, at, (byte) octet);
          }
        });
  }

  /** The checkpoint's own, or the group that each input has by its number. */
  private static PackedTensor groupIndex(QuantizedMatrix module) {
    TensorType type = TensorType.of(DType.I32, module.k());
    if (module.hasGroupIndex()) {
      return MadeTensor.of(
              "g_idx",
              type,
              "copy",
              ActOrder.GROUPS,
              (tensors, target) -> target.copyFrom(tensors.apply(ActOrder.GROUPS)))
          .withWayBack((tensors, target) -> target.copyFrom(tensors.apply("g_idx")));
    }
    return MadeTensor.constant(
        "g_idx",
        type,
        "input / " + module.blockColumns(),
        (tensors, target) -> inputsByGroup(module, target));
  }

  private static void inputsByGroup(QuantizedMatrix module, MemorySegment target) {
    int[] groups = new int[Math.toIntExact(module.k())];
    for (int k = 0; k < groups.length; k++) {
      groups[k] = (int) (k / module.blockColumns());
    }
    ActOrder.write(groups, target);
  }
}
