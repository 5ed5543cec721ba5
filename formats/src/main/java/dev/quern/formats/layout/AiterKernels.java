package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What kernels for AMD's Instinct read: AITER's preshuffled weights, and E4M3 FNUZ for MI300
 * (gfx942), which has no other FP8.
 *
 * <p>Source: AITER e4048607, {@code aiter/ops/shuffle.py}; vLLM 017e9f44, {@code w8a8_utils.py},
 * {@code normalize_e4m3fn_to_e4m3fnuz}, {@code kernels/linear/scaled_mm/aiter.py}.
 */
final class AiterKernels {
  private static final String INPUT_SCALE = "input_scale";
  private static final int NAN = 0x7F;

  private static final KernelLayout FP8 =
      new Named("aiter-fp8@1", "AITER on MI350, FP8 weights by channel, preshuffled") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          requireChannels(module);
          return List.of(tiled(module, AiterLayouts.FP8));
        }
      };

  private static final KernelLayout FP8_FNUZ =
      fnuz("aiter-fp8-fnuz@1", Optional.of(AiterLayouts.FP8));
  private static final KernelLayout FNUZ = fnuz("fnuz-fp8@1", Optional.empty());

  private static final KernelLayout MX_4 =
      new Named("aiter-mx4@1", "AITER on MI350, MXFP4 weights, preshuffled") {
        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          Plans.requireMicroscaling(module, Codes.E2M1);
          Layout layout = AiterLayouts.MX_SCALE;
          TensorType type = Plans.type(module, Plans.SCALE);
          PackedShape shape = layout.shape(module.n(), module.groups());
          return List.of(
              tiled(module, AiterLayouts.FP4),
              LaidTensor.ofRows(Plans.SCALE, Plans.SCALE, type, layout, shape));
        }
      };

  private static final KernelLayout BF16 =
      new Named("aiter-bf16@1", "AITER, weights of 16 bits that are not quantized, preshuffled") {
        @Override
        public boolean takesPlain() {
          return true;
        }

        @Override
        public List<PackedTensor> plan(QuantizedMatrix module) {
          require(module.codes() == Codes.FLOAT16, "weights of 16 bits", module.describe());
          return List.of(tiled(module, AiterLayouts.BF16));
        }
      };

  static final List<KernelLayout> ALL = List.of(FP8, MX_4, BF16, FP8_FNUZ, FNUZ);

  private AiterKernels() {}

  private static void requireChannels(QuantizedMatrix module) {
    require(
        module.codes() == Codes.E4M3 && module.groups() == 1 && module.scalesByRow(),
        "FP8 weights with scales by channel",
        module.describe());
  }

  private static LaidTensor tiled(QuantizedMatrix module, Layout layout) {
    Plans.requireMultiple("N", module.n(), layout.tileRows());
    Plans.requireMultiple("K", module.k(), layout.tileColumns());
    PackedShape shape = layout.shape(module.n(), module.k());
    return Plans.weight(module.weight(), module, layout, shape);
  }

  private static KernelLayout fnuz(String id, Optional<Layout> tiles) {
    String title = tiles.isPresent() ? "AITER on MI300, FP8 by channel, preshuffled" : "MI300, FP8";
    return new Named(id, title + ", E4M3 FNUZ") {
      @Override
      public List<PackedTensor> plan(QuantizedMatrix module) {
        require(module.codes() == Codes.E4M3, "FP8 weights", module.describe());
        FloatType type = Plans.floatType(Plans.type(module, Plans.SCALE).dtype());
        if (tiles.isPresent()) {
          requireChannels(module);
          tiled(module, tiles.get());
        }
        List<PackedTensor> tensors = new ArrayList<>();
        tensors.add(fnuzWeight(module, tiles));
        tensors.add(NegativeZeros.mask(module));
        tensors.add(doubled(module, Plans.SCALE, type));
        module
            .tensor(INPUT_SCALE)
            .ifPresent(
                input -> tensors.add(doubled(module, INPUT_SCALE, Plans.floatType(input.dtype()))));
        return tensors;
      }

      @Override
      public void requireData(QuantizedMatrix module, Function<String, MemorySegment> logical) {
        MemorySegment codes = logical.apply(module.weight());
        for (long at = 0; at < codes.byteSize(); at++) {
          require(
              (codes.get(ValueLayout.JAVA_BYTE, at) & NAN) != NAN,
              "numbers, because E4M3's NaN is 240 in E4M3 FNUZ",
              "NaN at row " + at / module.k() + ", column " + at % module.k());
        }
        TensorType type = Plans.type(module, Plans.SCALE);
        FloatType scale = Plans.floatType(type.dtype());
        for (long i = 0; i < type.elements(); i++) {
          float value = scale.load(logical.apply(Plans.SCALE), i * scale.bytes());
          require(
              Float.isFinite(scale.round(FnuzCodes.scale(value))),
              "scales that can be doubled",
              Float.toString(value));
        }
      }
    };
  }

  private static PackedTensor fnuzWeight(QuantizedMatrix module, Optional<Layout> tiles) {
    MadeTensor made =
        MadeTensor.of(
            module.weight(),
            TensorType.of(DType.F8_E4M3FNUZ, module.n(), module.k()),
            "e4m3fnuz of the same bits, -0 as 0",
            module.weight(),
            (logical, target) -> {
              MemorySegment codes = logical.apply(module.weight());
              if (tiles.isEmpty()) {
                FnuzCodes.convert(codes, target);
                return;
              }
              try (Arena arena = Arena.ofConfined()) {
                MemorySegment rows = arena.allocate(codes.byteSize(), 64);
                FnuzCodes.convert(codes, rows);
                PackedShape shape = tiles.get().shape(module.n(), module.k());
                tiles.get().pack(shape, rows, module.k(), target);
              }
            });
    if (tiles.isPresent()) {
      made = made.in(tiles.get(), tiles.get().shape(module.n(), module.k()));
    }
    return made.withWayBack(
        (packed, target) -> {
          MemorySegment codes = packed.apply(module.weight());
          if (tiles.isPresent()) {
            PackedShape shape = tiles.get().shape(module.n(), module.k());
            tiles.get().unpack(shape, codes, target, module.k());
          } else {
            target.copyFrom(codes);
          }
          NegativeZeros.restore(module, packed.apply(NegativeZeros.NAME), target);
        });
  }

  private static PackedTensor doubled(QuantizedMatrix module, String name, FloatType type) {
    return MadeTensor.of(
            name,
            Plans.type(module, name),
            "scale * 2",
            name,
            (logical, target) -> scaled(type, logical.apply(name), FnuzCodes.scale(1), target))
        .withWayBack(
            (packed, target) -> scaled(type, packed.apply(name), 1 / FnuzCodes.scale(1), target));
  }

  private static void scaled(FloatType type, MemorySegment from, float factor, MemorySegment to) {
    for (long at = 0; at < from.byteSize(); at += type.bytes()) {
      type.store(to, at, type.load(from, at) * factor);
    }
  }
}
