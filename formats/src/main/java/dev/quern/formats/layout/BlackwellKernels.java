package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.util.List;

/**
 * What kernels for Blackwell's block-scaled tensor cores read: those of CUTLASS, cuBLASLt and
 * FlashInfer with scales in {@link BlockScaleLayouts#SF_128X4}, and those of TensorRT-LLM with rows
 * shuffled as in {@link TrtllmLayouts}.
 *
 * <p>The product of the global scales with that of the activations stays to the engine.
 *
 * <p>Source: vLLM 017e9f44, {@code nvfp4_utils.py}, {@code kernels/linear/mxfp4} and {@code mxfp8};
 * FlashInfer 2b6b6a5f.
 */
final class BlackwellKernels {
  /** Outputs, and inputs, that FlashInfer's MXFP8 kernels want at least. */
  private static final int LEAST_MX8 = 128;

  private static final float LEAST_SCALE = 1e-10f;
  private static final String TRTLLM_SCALE = "weight_scale_trtllm";

  private static final KernelLayout NVFP4 =
      new Named("sf-128x4-nvfp4@1", "NVFP4 weights for CUTLASS, cuBLASLt and FlashInfer") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          requireNvfp4(module);
          Layout rows = RowLayouts.ROWS_4;
          return List.of(
              Plans.weight(module.weight(), module, rows, rows.shape(module.n(), module.k())),
              scales(module, BlockScaleLayouts.SF_128X4));
        }
      };

  private static final KernelLayout MX_4 =
      new Named("sf-128x4-mx4@1", "MXFP4 weights for CUTLASS, cuBLASLt and FlashInfer") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireMicroscaling(module, Codes.E2M1);
          return List.of(scales(module, BlockScaleLayouts.SF_128X4));
        }
      };

  private static final KernelLayout MX_8 =
      new Named("sf-128x4-mx8@1", "MXFP8 weights for CUTLASS, cuBLASLt and FlashInfer") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireMicroscaling(module, Codes.E4M3);
          require(
              module.n() >= LEAST_MX8 && module.k() >= LEAST_MX8,
              "at least 128 outputs and 128 inputs",
              module.n() + " x " + module.k());
          return List.of(scales(module, BlockScaleLayouts.SF_128X4));
        }
      };

  private static final KernelLayout TRTLLM_NVFP4 =
      new Named("trtllm-nvfp4@1", "TensorRT-LLM's kernels, NVFP4 weights") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          requireNvfp4(module);
          return shuffled(module, module.k() / 2);
        }
      };

  private static final KernelLayout TRTLLM_MX_4 =
      new Named("trtllm-mx4@1", "TensorRT-LLM's kernels, MXFP4 weights") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireMicroscaling(module, Codes.E2M1);
          return shuffled(module, module.k() / 2);
        }
      };

  private static final KernelLayout TRTLLM_MX_8 =
      new Named("trtllm-mx8@1", "TensorRT-LLM's kernels, MXFP8 weights") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireMicroscaling(module, Codes.E4M3);
          return shuffled(module, module.k());
        }
      };

  private static final KernelLayout TRTLLM_FP8 =
      new Named("trtllm-fp8@1", "TensorRT-LLM's kernels, FP8 weights with one scale") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          require(
              module.codes() == Codes.E4M3 && module.hasOneScale(),
              "FP8 weights with one scale",
              module.describe());
          Layout layout = TrtllmLayouts.SHUFFLE_128;
          PackedShape shape = layout.shape(module.n(), module.k());
          return List.of(Plans.weight(module.weight(), module, layout, shape));
        }
      };

  private static final KernelLayout TRTLLM_FP8_BLOCK =
      new Named("trtllm-fp8-block@1", "TensorRT-LLM's kernels, FP8 weights in 128 x 128 blocks") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireFp8Blocks(module);
          Layout layout = TrtllmLayouts.FP8_BLOCK;
          Plans.requireMultiple("N", module.n(), layout.tileRows());
          Plans.requireMultiple("K", module.k(), layout.tileColumns());
          PackedShape shape = layout.shape(module.n(), module.k());
          return List.of(
              Plans.weight(module.weight(), module, layout, shape), clampedScales(module));
        }
      };

  static final List<KernelLayout> ALL =
      List.of(
          NVFP4, MX_4, MX_8, TRTLLM_NVFP4, TRTLLM_MX_4, TRTLLM_MX_8, TRTLLM_FP8_BLOCK, TRTLLM_FP8);

  private BlackwellKernels() {}

  private static void requireNvfp4(QuantizedMatrix module) {
    require(
        module.codes() == Codes.E2M1 && module.blockColumns() == 16 && module.scalesByRow(),
        "NVFP4 weights",
        module.describe());
    DType scale = Plans.type(module, Plans.SCALE).dtype();
    require(scale == DType.F8_E4M3, "scales in F8_E4M3", scale.toString());
  }

  private static LaidTensor scales(QuantizedMatrix module, Layout layout) {
    PackedShape shape = layout.shape(module.n(), module.groups());
    return LaidTensor.ofRows(
        Plans.SCALE, Plans.SCALE, Plans.type(module, Plans.SCALE), layout, shape);
  }

  /** Rows of {@code bytes} bytes and their scales, both in the order of the tile's rows. */
  private static List<PackedTensor> shuffled(QuantizedMatrix module, long bytes) {
    Layout layout = TrtllmLayouts.SHUFFLE_128;
    return List.of(
        Plans.weight(module.weight(), module, layout, layout.shape(module.n(), bytes)),
        scales(module, TrtllmLayouts.SF_128));
  }

  /** The kernel divides by nothing smaller. */
  private static PackedTensor clampedScales(QuantizedMatrix module) {
    TensorType type = Plans.type(module, Plans.SCALE);
    FloatType from = Plans.floatType(type.dtype());
    return MadeTensor.of(
        TRTLLM_SCALE,
        new TensorType(DType.F32, type.shape()),
        "max(scale, 1e-10)",
        Plans.SCALE,
        (logical, target) -> {
          for (long i = 0; i < type.elements(); i++) {
            float scale = from.load(logical.apply(Plans.SCALE), i * from.bytes());
            FloatType.F32.store(target, i * Float.BYTES, Math.max(scale, LEAST_SCALE));
          }
        });
  }
}
