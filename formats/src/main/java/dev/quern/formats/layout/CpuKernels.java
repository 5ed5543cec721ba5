package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * What the documented kernels for processors read: vLLM's {@code CPUWNA16}, and SGLang's for AMX.
 *
 * <p>Source: vLLM 017e9f44, {@code csrc/cpu} and {@code kernels/linear/mixed_precision/cpu.py};
 * SGLang, {@code sgl-kernel/csrc/cpu/gemm.cpp}, {@code convert_weight_packed}.
 */
final class CpuKernels {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Outputs of a block for AMX. */
  private static final int BLOCK = 32;

  private static final long SUM_BYTES = BLOCK * Integer.BYTES;

  private static final KernelLayout WNA16 =
      new Named("cpu-wna16-i4@1", "vLLM on processors, 4-bit integers") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireInts(module, 4);
          Plans.requireSymmetric(module);
          Plans.requireNoActOrder(module);
          Plans.requireMultiple("N", module.n(), 32);
          Plans.requireMultiple("K", module.k(), 32);
          Layout layout = CpuLayouts.WNA16;
          long groups = module.groups();
          return List.of(
              Plans.weight(module.weight(), module, layout, layout.shape(module.n(), module.k())),
              Plans.scales(Plans.SCALE, module, GptqLayouts.SCALES, module.n(), groups));
        }
      };

  private static final KernelLayout AMX_I8 =
      new Named("cpu-amx-i8@1", "SGLang on AMX, 8-bit integers by channel") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          require(
              module.codes() == Codes.INT8 && module.groups() == 1,
              "8-bit integers with scales by channel, a byte each",
              module.describe());
          return List.of(withSums(module));
        }
      };

  private static final KernelLayout AMX_FP8 = amx("cpu-amx-fp8@1", Codes.E4M3, CpuLayouts.AMX_FP8);
  private static final KernelLayout AMX_16 =
      amx("cpu-amx-bf16@1", Codes.FLOAT16, CpuLayouts.AMX_BF16);

  static final List<KernelLayout> ALL = List.of(WNA16, AMX_I8, AMX_FP8, AMX_16);

  private CpuKernels() {}

  private static KernelLayout amx(String id, Codes codes, Layout layout) {
    return new Named(id, "SGLang on AMX, " + codes + " weights") {
      @Override
      public boolean takesPlain() {
        return codes == Codes.FLOAT16;
      }

      @Override
      public List<PackedTensor> plan(QuantizedMatrix module) {
        require(module.codes() == codes, codes + " weights", module.describe());
        PackedShape shape = shape(module, layout);
        return List.of(Plans.weight(module.weight(), module, layout, shape));
      }
    };
  }

  private static PackedShape shape(QuantizedMatrix module, Layout layout) {
    Plans.requireMultiple("N", module.n(), BLOCK);
    Plans.requireMultiple("K", module.k(), BLOCK);
    return layout.shape(module.n(), module.k());
  }

  /** Behind each block of 32 outputs stands, for each, {@code 128 * sum over k of w}, int32. */
  private static PackedTensor withSums(QuantizedMatrix module) {
    PackedShape shape = shape(module, CpuLayouts.AMX_I8);
    long blocks = module.n() / BLOCK;
    long codes = BLOCK * module.k();
    return MadeTensor.of(
            module.weight(),
            TensorType.of(DType.I8, blocks, codes + SUM_BYTES),
            "blocks of amx-vnni-i8@1, 128 * sum of each output behind each",
            module.weight(),
            (logical, target) -> {
              MemorySegment rows = logical.apply(module.weight());
              try (Arena arena = Arena.ofConfined()) {
                MemorySegment packed = arena.allocate(shape.bytes(), 64);
                CpuLayouts.AMX_I8.pack(shape, rows, module.k(), packed);
                for (long b = 0; b < blocks; b++) {
                  long at = b * (codes + SUM_BYTES);
                  MemorySegment.copy(packed, b * codes, target, at, codes);
                  for (int i = 0; i < BLOCK; i++) {
                    int sum = sum(rows, (b * BLOCK + i) * module.k(), module.k());
                    target.set(INT, at + codes + i * (long) Integer.BYTES, 128 * sum);
                  }
                }
              }
            })
        .withWayBack(
            (packed, target) -> {
              MemorySegment tensor = packed.apply(module.weight());
              try (Arena arena = Arena.ofConfined()) {
                MemorySegment plain = arena.allocate(shape.bytes(), 64);
                for (long b = 0; b < blocks; b++) {
                  MemorySegment.copy(tensor, b * (codes + SUM_BYTES), plain, b * codes, codes);
                }
                CpuLayouts.AMX_I8.unpack(shape, plain, target, module.k());
              }
            });
  }

  private static int sum(MemorySegment rows, long at, long columns) {
    int sum = 0;
    for (long k = 0; k < columns; k++) {
      sum += rows.get(ValueLayout.JAVA_BYTE, at + k);
    }
    return sum;
  }
}
