package dev.quern.formats.target.selection;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.formats.target.selection.KernelLayer.Cut;
import dev.quern.formats.target.selection.KernelLayer.Role;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Which kernel runs which scheme on which target, cell by cell, with default flags and aligned
 * shapes: read from vLLM's sources independently of the table. A cell is the kernel; {@code (wo)}
 * where activations stay as they are, {@code (em)} where it is emulated, {@code !} where it loads
 * and then fails, {@code -} where it does not load.
 */
class SelectionMatrixTest {
  private static final Serving BF16 = Serving.of("bfloat16");
  private static final Serving HALF = Serving.of("float16");

  @Test
  void nvidia() {
    check(
        198,
        """
        scheme            | sm70 | sm75            | sm80           | sm86           | sm87           | sm89           | sm90         | sm100             | sm103             | sm120             | sm121
        FP8               | -    | HummingFP8(wo)  | HummingFP8(wo) | HummingFP8(wo) | HummingFP8(wo) | CutlassFP8     | CutlassFP8   | FlashInferFP8     | FlashInferFP8     | FlashInferFP8     | FlashInferFP8
        FP8_TENSOR_TOKEN  | -    | HummingFP8(wo)  | HummingFP8(wo) | HummingFP8(wo) | HummingFP8(wo) | CutlassFP8     | CutlassFP8   | CutlassFP8        | CutlassFP8        | CutlassFP8        | CutlassFP8
        FP8_DYNAMIC       | -    | HummingFP8(wo)  | HummingFP8(wo) | HummingFP8(wo) | HummingFP8(wo) | CutlassFP8     | CutlassFP8   | CutlassFP8        | CutlassFP8        | CutlassFP8        | CutlassFP8
        FP8A16            | -    | HummingFP8      | HummingFP8     | HummingFP8     | HummingFP8     | HummingFP8     | HummingFP8   | HummingFP8        | HummingFP8        | HummingFP8        | HummingFP8
        FP8_BLOCK         | -    | HummingFP8(wo)  | HummingFP8(wo) | HummingFP8(wo) | HummingFP8(wo) | TritonFp8Block | FlashInferFp8DeepGEMMDynamic | DeepGemm | DeepGemm  | DeepGemm          | DeepGemm
        W8A8              | -    | CutlassInt8     | CutlassInt8    | CutlassInt8    | CutlassInt8    | CutlassInt8    | CutlassInt8  | CutlassInt8!      | CutlassInt8!      | CutlassInt8!      | CutlassInt8!
        INT8_ASYM         | -    | CutlassInt8     | CutlassInt8    | CutlassInt8    | CutlassInt8    | CutlassInt8    | CutlassInt8  | CutlassInt8!      | CutlassInt8!      | CutlassInt8!      | CutlassInt8!
        INT8_GROUP        | -    | -               | -              | -              | -              | -              | -            | -                 | -                 | -                 | -
        NVFP4             | -    | Marlin(wo)      | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)   | FlashInferCuteDsl | FlashInferCuteDsl | FlashInferCutlass | FlashInferCutlass
        NVFP4A16          | -    | Marlin          | Marlin         | Marlin         | Marlin         | Marlin         | Marlin       | Marlin            | Marlin            | Marlin            | Marlin
        MXFP4             | -    | -               | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)   | FlashInferMxFp4   | FlashInferMxFp4   | FlashInferMxFp4   | FlashInferMxFp4
        MXFP4A16          | -    | -               | Marlin         | Marlin         | Marlin         | Marlin         | Marlin       | FlashInferMxFp4   | FlashInferMxFp4   | FlashInferMxFp4   | FlashInferMxFp4
        MXFP8             | -    | Marlin(wo)!     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)   | FlashInferCutedsl | FlashInferCutedsl | FlashInferCutlass | FlashInferCutlass
        MXFP8A16          | -    | Marlin!         | Marlin         | Marlin         | Marlin         | Marlin         | Marlin       | FlashInferCutedsl | FlashInferCutedsl | FlashInferCutlass | FlashInferCutlass
        W4AFP8            | -    | -               | -              | -              | -              | -              | CutlassW4A8  | -                 | -                 | -                 | -
        W4A8_PACK         | -    | Marlin(wo)      | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | CutlassW4A8  | Marlin(wo)        | Marlin(wo)        | Marlin(wo)        | Marlin(wo)
        W4A8_PACK_CHANNEL | -    | Marlin(wo)      | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Marlin(wo)     | Machete(wo)  | Marlin(wo)        | Marlin(wo)        | Marlin(wo)        | Marlin(wo)
        W4A8_INT          | -    | Humming(wo)!    | Humming(wo)!   | Humming(wo)!   | Humming(wo)!   | Humming(wo)!   | -            | Humming(wo)!      | Humming(wo)!      | Humming(wo)!      | Humming(wo)!
        """,
        (target, scheme) -> Layers.decide(target, BF16, Layers.aligned(scheme)));
  }

  @Test
  void weightOnlyIntegers() {
    check(
        60,
        """
        scheme         | sm75    | sm80     | sm87     | sm89     | sm90    | sm100
        W4A16          | Marlin  | Marlin   | Marlin   | Marlin   | Machete | Marlin
        W4A16_G32      | Marlin  | Marlin   | Marlin   | Marlin   | Marlin  | Marlin
        W4A16_ASYM     | Marlin  | Marlin   | Marlin   | Marlin   | Machete | Marlin
        W4A16_CHANNEL  | Marlin  | Marlin   | Marlin   | Marlin   | Machete | Marlin
        W4A16_ACTORDER | Marlin  | Marlin   | Marlin   | Marlin   | Machete | Marlin
        W8A16_CHANNEL  | Marlin  | AllSpark | AllSpark | AllSpark | Machete | Marlin
        W8A16          | Marlin  | Marlin   | Marlin   | Marlin   | Machete | Marlin
        W8A16_ASYM     | Humming | Humming  | Humming  | Humming  | Machete | Humming
        W3A16          | Humming | Humming  | Humming  | Humming  | Humming | Humming
        W4A16_G16      | Exllama | Humming  | Humming  | Humming  | Humming | Humming
        """,
        (target, scheme) -> Layers.decide(target, BF16, Layers.aligned(scheme)));
    check(
        24,
        """
        scheme     | sm75    | sm80    | sm87    | sm89    | sm90    | sm100
        W2A16      | Humming | Humming | Humming | Humming | Humming | Humming
        W5A16      | Humming | Humming | Humming | Humming | Humming | Humming
        W6A16      | Humming | Humming | Humming | Humming | Humming | Humming
        W7A16      | Humming | Humming | Humming | Humming | Humming | Humming
        """,
        (target, scheme) -> Layers.decide(target, HALF, Layers.aligned(scheme)));
    check(
        12,
        """
        scheme     | sm75    | sm80    | sm87    | sm89    | sm90    | sm100
        W4A16_G16  | Exllama | Exllama | Exllama | Exllama | Exllama | Exllama
        W4A16_G256 | Exllama | Exllama | Exllama | Exllama | Exllama | Exllama
        """,
        (target, scheme) -> Layers.decide(target, HALF, Layers.aligned(scheme)));
    check(
        5,
        """
        scheme     | sm80        | sm87        | sm89        | sm90        | sm100
        W4A16_G256 | TritonW4A16 | TritonW4A16 | TritonW4A16 | TritonW4A16 | TritonW4A16
        """,
        (target, scheme) -> Layers.decide(target, BF16, Layers.aligned(scheme)));
  }

  @Test
  void columnOrderOnCutColumns() {
    // K = 8192 / 2 = 4096 is aligned, N too; with N = 4064 Marlin's strict gate fails.
    String aligned =
        """
        scheme         | sm75   | sm80   | sm89   | sm90   | sm100
        W4A16_ACTORDER | Marlin | Marlin | Marlin | Marlin | Marlin
        """;
    String ragged =
        """
        scheme         | sm75 | sm80 | sm89 | sm90 | sm100
        W4A16_ACTORDER | -    | -    | -    | -    | -
        """;
    check(5, aligned, (target, scheme) -> cut(target, scheme, 4096));
    check(5, ragged, (target, scheme) -> cut(target, scheme, 4064));
    check(
        5,
        """
        scheme         | sm75    | sm80    | sm89    | sm90    | sm100
        W4A16_ACTORDER | Exllama | Exllama | Exllama | Exllama | Exllama
        """,
        (target, scheme) ->
            Layers.decide(target, HALF, KernelLayer.single("m", 4064, 4096, Layers.scheme(scheme))));
  }

  private static KernelDecision cut(String target, String scheme, long rows) {
    return Layers.decide(
        target,
        BF16.withTensorParallel(2),
        Layers.layer(Role.DOWN, Cut.ROW, rows, 8192, Layers.scheme(scheme)));
  }

  @Test
  void otherPlatforms() {
    check(
        119,
        """
        scheme         | gfx90a            | gfx942           | gfx950           | xpu             | x86              | arm              | tpu
        FP8            | PerTensorTorch!   | ROCmFP8          | ROCmFP8          | XPUW8A16FP8(wo) | PerTensorTorch   | PerTensorTorch   | tpu-inference
        FP8_DYNAMIC    | ChannelWiseTorch! | RowWiseTorch     | RowWiseTorch     | XPUW8A16FP8(wo) | ChannelWiseTorch | ChannelWiseTorch | tpu-inference
        FP8A16         | -                 | -                | -                | XPUW8A16FP8     | -                | -                | -
        FP8_BLOCK      | TritonFp8Block!   | TritonFp8Block   | TritonFp8Block   | XPUFp8Block     | -                | -                | -
        W8A8           | TritonInt8        | TritonInt8       | TritonInt8       | TritonInt8      | CPUInt8          | CPUInt8          | tpu-inference
        INT8_STATIC    | TritonInt8        | TritonInt8       | TritonInt8       | TritonInt8      | CPUInt8          | CPUInt8          | -
        INT8_ASYM      | TritonInt8        | TritonInt8       | TritonInt8       | TritonInt8      | CPUInt8          | CPUInt8          | -
        W4A16          | TritonW4A16       | TritonW4A16      | TritonW4A16      | XPUwNa16        | CPUWNA16         | CPUWNA16         | -
        W4A16_ASYM     | TritonW4A16       | TritonW4A16      | TritonW4A16      | XPUwNa16        | CPUWNA16         | CPUWNA16         | -
        W8A16          | Conch             | Conch            | Conch            | -               | -                | -                | -
        NVFP4          | Emulation(em)     | Emulation(em)    | Emulation(em)    | -               | -                | -                | tpu-inference
        NVFP4A16       | -                 | -                | -                | -               | -                | -                | tpu-inference
        MXFP4          | Emulation(em)     | Emulation(em)    | AiterMxfp4       | XPUMxFp4        | -                | -                | -
        MXFP8          | Emulation(em)     | Emulation(em)    | RocmDotScaled    | XPUMxFp8        | -                | -                | -
        W4AFP8         | -                 | -                | -                | -               | -                | -                | tpu-inference
        W4A8_INT       | -                 | -                | -                | XPUW4A8Int      | Dynamic4bit      | Dynamic4bit      | -
        W4A8_PACK      | -                 | TritonW4A16(wo)  | TritonW4A16(wo)  | XPUwNa16(wo)    | CPUWNA16(wo)     | CPUWNA16(wo)     | -
        """,
        (target, scheme) -> Layers.decide(target, BF16, Layers.aligned(scheme)));
    check(
        5,
        """
        scheme         | gfx90a  | gfx942  | gfx950  | x86      | arm
        W4A16_ACTORDER | Exllama | Exllama | Exllama | CPUWNA16 | CPUWNA16
        """,
        (target, scheme) -> Layers.decide(target, HALF, Layers.aligned(scheme)));
    check(
        4,
        """
        scheme    | x86-amx         | x86-zen
        FP8_BLOCK | CPUFp8Block(wo) | -
        W8A8      | CPUInt8         | ZentorchInt8
        """,
        (target, scheme) -> Layers.decide(target, BF16, Layers.aligned(scheme)));
  }

  @Test
  void experts() {
    check(
        224,
        """
        scheme             | sm75       | sm80       | sm87       | sm89       | sm90               | sm100               | sm103               | sm120              | sm121              | gfx942        | gfx950        | xpu    | x86 | x86-amx
        FP8                | MARLIN(wo) | MARLIN(wo) | MARLIN(wo) | TRITON     | FLASHINFER_CUTLASS | FLASHINFER_TRTLLM   | FLASHINFER_TRTLLM   | FLASHINFER_CUTLASS | FLASHINFER_CUTLASS | TRITON        | TRITON        | -      | -   | -
        FP8_DYNAMIC        | MARLIN(wo) | MARLIN(wo) | MARLIN(wo) | TRITON     | VLLM_CUTLASS       | VLLM_CUTLASS        | VLLM_CUTLASS        | TRITON             | TRITON             | TRITON        | TRITON        | TRITON | -   | -
        FP8_BLOCK          | MARLIN(wo) | MARLIN(wo) | MARLIN(wo) | TRITON     | TRITON             | FLASHINFER_TRTLLM   | FLASHINFER_TRTLLM   | DEEPGEMM           | DEEPGEMM           | TRITON        | TRITON        | XPU    | -   | CPU(wo)
        NVFP4              | MARLIN(wo) | MARLIN(wo) | MARLIN(wo) | MARLIN(wo) | MARLIN(wo)         | FLASHINFER_TRTLLM   | FLASHINFER_TRTLLM   | FLASHINFER_CUTLASS | FLASHINFER_CUTLASS | EMULATION(em) | EMULATION(em) | -      | -   | -
        NVFP4A16           | MARLIN     | MARLIN     | MARLIN     | MARLIN     | MARLIN             | MARLIN              | MARLIN              | MARLIN             | MARLIN             | -             | -             | -      | -   | -
        MXFP4              | MARLIN(wo)!| MARLIN(wo) | MARLIN(wo) | MARLIN(wo) | MARLIN(wo)         | CutlassExpertsMxfp4 | CutlassExpertsMxfp4 | MARLIN(wo)         | MARLIN(wo)         | -             | -             | XPU    | -   | -
        MXFP8              | MARLIN(wo)!| MARLIN(wo) | MARLIN(wo) | MARLIN(wo) | MARLIN(wo)         | FLASHINFER_TRTLLM   | FLASHINFER_TRTLLM   | MARLIN(wo)         | MARLIN(wo)         | EMULATION(em) | TRITON_MXFP8  | XPU    | -   | -
        W8A8               | TRITON     | TRITON     | TRITON     | TRITON     | TRITON             | TRITON              | TRITON              | TRITON             | TRITON             | TRITON        | TRITON        | -      | -   | CPU
        W4A16              | MARLIN     | MARLIN     | MARLIN     | MARLIN     | MARLIN             | MARLIN              | MARLIN              | MARLIN             | MARLIN             | TRITON        | TRITON        | XPU    | -   | CPU
        W4A16_G32          | MARLIN     | MARLIN     | MARLIN     | MARLIN     | MARLIN             | FLASHINFER_TRTLLM   | FLASHINFER_TRTLLM   | MARLIN             | MARLIN             | TRITON        | TRITON        | XPU    | -   | CPU
        W4A16_ASYM         | MARLIN     | MARLIN     | MARLIN     | MARLIN     | MARLIN             | MARLIN              | MARLIN              | MARLIN             | MARLIN             | EMULATION(em) | EMULATION(em) | -      | -   | -
        W8A16_CHANNEL      | MARLIN     | MARLIN     | MARLIN     | MARLIN     | MARLIN             | MARLIN              | MARLIN              | MARLIN             | MARLIN             | TRITON!       | TRITON!       | -      | -   | -
        W4AFP8             | -          | -          | -          | -          | CUTLASS            | -                   | -                   | -                  | -                  | -             | -             | -      | -   | -
        W4A8_PACK          | -          | -          | -          | -          | CUTLASS            | -                   | -                   | -                  | -                  | -             | -             | -      | CPU | CPU
        FP8A16             | -          | -          | -          | -          | -                  | -                   | -                   | -                  | -                  | -             | -             | -      | -   | -
        INT8_STATIC        | -          | -          | -          | -          | -                  | -                   | -                   | -                  | -                  | -             | -             | -      | -   | -
        """,
        (target, scheme) ->
            Layers.decide(
                target,
                BF16,
                Layers.layer(Role.EXPERT_W13, Cut.COLUMN, 4096, 2048, Layers.scheme(scheme))));
    check(
        2,
        """
        scheme             | sm90               | xpu
        FP8_BLOCK          | FLASHINFER_CUTLASS | XPU
        """,
        (target, scheme) ->
            Layers.decide(
                target,
                BF16.withExpertParallel(2),
                Layers.layer(Role.EXPERT_W13, Cut.COLUMN, 4096, 2048, Layers.scheme(scheme))));
    check(
        1,
        """
        scheme             | xpu
        FP8_TENSOR_DYNAMIC | XPU
        """,
        (target, scheme) ->
            Layers.decide(
                target,
                BF16,
                Layers.layer(Role.EXPERT_W13, Cut.COLUMN, 4096, 2048, Layers.scheme(scheme))));
  }

  @Test
  void cache() {
    check(
        8,
        """
        scheme | sm70 | sm75            | sm80       | sm87       | sm89       | sm90            | sm100      | sm120
        KV     | -    | TritonAttention | FlashInfer | FlashInfer | FlashInfer | FlashAttention3 | FlashInfer | FlashInfer
        """,
        (target, scheme) ->
            Layers.decide(
                target, BF16, Layers.layer(Role.KV_CACHE, Cut.REPLICATED, 1, 1, Layers.scheme(scheme))));
  }

  @Test
  void sparseModelsAreRefusedEverywhere() {
    for (Target target : KernelTable.builtIn().targets("all")) {
      KernelDecision decision =
          Layers.decide(target.id(), BF16.withSparsity(true), Layers.aligned("W4A16"));
      assertEquals(List.of("SPARSE24_REMOVED"), decision.reasons(), target.id());
    }
  }

  private static void check(
      int cells, String matrix, BiFunction<String, String, KernelDecision> decide) {
    List<String> lines = matrix.lines().toList();
    List<String> targets = cells(lines.getFirst());
    List<Executable> checks = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      List<String> row = cells(line);
      assertEquals(targets.size(), row.size(), line);
      for (int c = 1; c < row.size(); c++) {
        String target = targets.get(c);
        String scheme = row.getFirst();
        String expected = row.get(c);
        checks.add(
            () -> {
              KernelDecision decision = decide.apply(target, scheme);
              assertEquals(
                  expected, Layers.cell(decision), () -> scheme + " on " + target + ": " + decision);
            });
      }
    }
    assertAll(checks);
    assertEquals(cells, checks.size(), "cells");
  }

  private static List<String> cells(String line) {
    return Arrays.stream(line.split("\\|")).map(String::strip).toList();
  }
}
