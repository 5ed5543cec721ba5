package dev.quern.pipeline.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ActivationRounding;
import dev.quern.engine.quantization.ActivationRounding.Element;
import dev.quern.engine.quantization.ActivationRounding.Scales;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounded activations against compressed-tensors' own, for equality. */
class ActivationRoundingGoldenTest {
  private static final int ROWS = 8;
  private static final int COLUMNS = 256;

  private static List<Float> scales(SafetensorsFile file, String tensor) {
    TensorInfo info = file.find(tensor).orElseThrow();
    List<Float> values = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = file.map(info, 0, info.bytes(), arena);
      for (int i = 0; i < info.elements(); i++) {
        values.add(FloatType.F32.load(bytes, 4L * i));
      }
    }
    return values;
  }

  private static ActivationRounding rounding(String name, SafetensorsFile file) {
    Scales row = new Scales.OfRow();
    Scales all = new Scales.OfAllRows();
    return switch (name) {
      case "int8_token" -> new ActivationRounding(Element.INT, 8, true, row);
      case "int8_asym_token" -> new ActivationRounding(Element.INT, 8, false, row);
      case "int4_token" -> new ActivationRounding(Element.INT, 4, true, row);
      case "int4_asym_token" -> new ActivationRounding(Element.INT, 4, false, row);
      case "int8_group128" ->
          new ActivationRounding(Element.INT, 8, true, new Scales.OfGroups(128));
      case "fp8_token" -> new ActivationRounding(Element.E4M3, 8, true, row);
      case "fp8_group128" ->
          new ActivationRounding(Element.E4M3, 8, true, new Scales.OfGroups(128));
      case "fp8_tensor_dynamic" -> new ActivationRounding(Element.E4M3, 8, true, all);
      case "int8_asym_tensor_dynamic" -> new ActivationRounding(Element.INT, 8, false, all);
      case "fp8_tensor" -> given(Element.E4M3, scales(file, "fp8_tensor.input_scale"), List.of());
      case "int8_tensor" -> given(Element.INT, scales(file, "int8_tensor.input_scale"), List.of());
      case "int8_asym_tensor" ->
          given(Element.INT, scales(file, "int8_asym_tensor.input_scale"), List.of(-37f));
      case "nvfp4", "nvfp4_clamped" ->
          new ActivationRounding(
              Element.E2M1,
              4,
              true,
              new Scales.TwoLevels(scales(file, name + ".input_global_scale").getFirst()));
      case "mxfp4" -> new ActivationRounding(Element.E2M1, 4, true, new Scales.PowersOfTwo());
      case "mxfp8" -> new ActivationRounding(Element.E4M3, 8, true, new Scales.PowersOfTwo());
      case "fp8_heads" -> given(Element.E4M3, scales(file, "fp8_heads.k_scale"), List.of());
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static ActivationRounding given(
      Element element, List<Float> scales, List<Float> zeroPoints) {
    return new ActivationRounding(
        element, 8, zeroPoints.isEmpty(), new Scales.Given(scales, zeroPoints));
  }

  private static float[] round(Kernels kernels, ActivationRounding wanted, SafetensorsFile file) {
    TensorInfo info = file.find("x").orElseThrow();
    float[] found = new float[ROWS * COLUMNS];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = NativeMemory.allocate(arena, info.bytes());
      x.copyFrom(file.map(info, 0, info.bytes(), arena));
      MemorySegment codes = NativeMemory.allocate(arena, COLUMNS);
      ActivationRounding rounding = wanted;
      if (wanted.needsRange()) {
        float[] range = ActivationRounding.range(kernels, x, 0, ROWS * COLUMNS);
        rounding = wanted.withRange(range[0], range[1]);
      }
      for (int row = 0; row < ROWS; row++) {
        rounding.round(kernels, x, 4L * row * COLUMNS, COLUMNS, codes);
      }
      for (int i = 0; i < found.length; i++) {
        found[i] = FloatType.F32.load(x, 4L * i);
      }
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "int8_token",
        "int8_asym_token",
        "int4_token",
        "int4_asym_token",
        "int8_group128",
        "fp8_token",
        "fp8_group128",
        "fp8_tensor_dynamic",
        "int8_asym_tensor_dynamic",
        "fp8_tensor",
        "int8_tensor",
        "int8_asym_tensor",
        "nvfp4",
        "nvfp4_clamped",
        "mxfp4",
        "mxfp8",
        "fp8_heads"
      })
  void roundingIsThatOfTheReference(String name) {
    try (SafetensorsFile file =
        SafetensorsFile.open(TestData.path("golden/activations.safetensors"))) {
      List<Float> expected = scales(file, name);
      for (Kernels kernels :
          List.of(new ScalarKernels(), KernelChoice.withoutVectors(), Kernels.best())) {
        float[] found = round(kernels, rounding(name, file), file);
        for (int i = 0; i < found.length; i++) {
          float value = expected.get(i);
          // Equal as numbers: the reference gives a quotient of -0 another sign than a small one.
          assertThat(found[i] == value)
              .as("row %d, column %d: %s, expected %s", i / COLUMNS, i % COLUMNS, found[i], value)
              .isTrue();
        }
      }
    }
  }

  @Test
  void everyTensorOfTheFileIsTested() {
    try (SafetensorsFile file =
        SafetensorsFile.open(TestData.path("golden/activations.safetensors"))) {
      Set<String> names = new TreeSet<>();
      file.tensors().forEach(tensor -> names.add(tensor.name()));
      names.removeIf(name -> name.contains(".") || name.equals("x"));
      assertThat(names).hasSize(17).allSatisfy(name -> rounding(name, file));
    }
  }
}
