package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Function;

/**
 * DeepGEMM's FP8 kernels. Weights stay E4M3 [N, K] in rows; this is about their scales: f32 for
 * Hopper, exponents for Blackwell.
 *
 * <p>Source: DeepGEMM 54e22612, {@code csrc/apis/layout.hpp}; vLLM 017e9f44, {@code
 * utils/deep_gemm.py}, for the shapes that are taken.
 */
final class DeepGemmKernels {
  private static final int LEAST_N = 64;
  private static final int BLOCK = 128;
  private static final int EXPONENT = 23;

  private static final KernelLayout SM90 =
      new Named("deepgemm-sm90@1", "DeepGEMM on Hopper, FP8 weights in 128 x 128 blocks") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          requireBlocks(module);
          TensorType type = Plans.type(module, Plans.SCALE);
          FloatType from = Plans.floatType(type.dtype());
          return List.of(
              MadeTensor.of(
                      Plans.SCALE,
                      new TensorType(DType.F32, type.shape()),
                      "as f32",
                      Plans.SCALE,
                      (logical, target) ->
                          convert(from, logical.apply(Plans.SCALE), FloatType.F32, target))
                  .withWayBack(
                      (packed, target) ->
                          convert(FloatType.F32, packed.apply(Plans.SCALE), from, target)));
        }
      };

  private static final KernelLayout SM100 =
      new Named("deepgemm-sm100@1", "DeepGEMM on Blackwell, FP8 weights in 128 x 128 blocks") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          requireBlocks(module);
          FloatType type = Plans.floatType(Plans.type(module, Plans.SCALE).dtype());
          Layout layout = DeepGemmLayouts.SF_UE8M0;
          PackedShape shape = layout.shape(module.n(), module.groups());
          return List.of(
              Computed.tensor(
                      Plans.SCALE,
                      shape.dtype(),
                      "exponents, a block's for each of its rows",
                      Plans.SCALE,
                      layout,
                      shape,
                      logical -> {
                        MemorySegment scales = logical.apply(Plans.SCALE);
                        return (n, j) -> {
                          long at = n / BLOCK * module.groups() + j;
                          return DeepGemmLayouts.exponent(type.load(scales, at * type.bytes()));
                        };
                      })
                  .withWayBack(
                      (packed, target) ->
                          fromExponents(module, type, shape, packed.apply(Plans.SCALE), target)));
        }

        @Override
        public void requireData(QuantizedMatrix module, Function<String, MemorySegment> logical) {
          FloatType type = Plans.floatType(Plans.type(module, Plans.SCALE).dtype());
          MemorySegment scales = logical.apply(Plans.SCALE);
          for (long at = 0; at < scales.byteSize(); at += type.bytes()) {
            float scale = type.load(scales, at);
            require(
                DeepGemmLayouts.isPowerOfTwo(scale),
                "scales that are powers of two",
                scale + ", which the kernel would round down");
          }
        }
      };

  private static final KernelLayout SM100_MX =
      new Named("deepgemm-sm100-mx8@1", "DeepGEMM on Blackwell, MXFP8 weights") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireMicroscaling(module, Codes.E4M3);
          requireSize(module);
          Layout layout = DeepGemmLayouts.SF_UE8M0;
          PackedShape shape = layout.shape(module.n(), module.groups());
          TensorType type = Plans.type(module, Plans.SCALE);
          return List.of(LaidTensor.ofRows(Plans.SCALE, Plans.SCALE, type, layout, shape));
        }
      };

  static final List<KernelLayout> ALL = List.of(SM90, SM100, SM100_MX);

  private DeepGemmKernels() {}

  private static void requireBlocks(QuantizedMatrix module) {
    Plans.requireFp8Blocks(module);
    requireSize(module);
  }

  private static void requireSize(QuantizedMatrix module) {
    Plans.requireMultiple("N", module.n(), LEAST_N);
    Plans.requireMultiple("K", module.k(), BLOCK);
  }

  private static void convert(
      FloatType from, MemorySegment source, FloatType to, MemorySegment target) {
    for (long i = 0; i < source.byteSize() / from.bytes(); i++) {
      to.store(target, i * to.bytes(), from.load(source, i * from.bytes()));
    }
  }

  private static void fromExponents(
      QuantizedMatrix module,
      FloatType type,
      PackedShape shape,
      MemorySegment packed,
      MemorySegment scales) {
    Layout layout = DeepGemmLayouts.SF_UE8M0;
    for (long block = 0; block < Math.ceilDiv(module.n(), BLOCK); block++) {
      for (long j = 0; j < module.groups(); j++) {
        long at = layout.bit(shape, block * BLOCK, j, 0) / Byte.SIZE;
        int exponent = packed.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
        float scale = Float.intBitsToFloat(exponent << EXPONENT);
        type.store(scales, (block * module.groups() + j) * type.bytes(), scale);
      }
    }
  }
}
