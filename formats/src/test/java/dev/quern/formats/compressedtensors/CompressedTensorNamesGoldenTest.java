package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.json.Json;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.testdata.TestData;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** From source headers and a configuration to the headers that the reference wrote. */
final class CompressedTensorNamesGoldenTest {
  private static final String OTHER_LAYER = "model.layers.1.";

  @Test
  void everyTensorHasTheReferencesNameDtypeAndShape() {
    int checkpoints = 0;
    int tensors = 0;
    for (String name : GoldenNames.all()) {
      List<TensorSpec> expected = header(name);
      List<TensorSpec> actual = new ArrayList<>(compressed(name));
      actual.removeIf(tensor -> tensor.name().startsWith(OTHER_LAYER));
      assertThat(actual).as(name).containsExactlyInAnyOrderElementsOf(expected);
      checkpoints++;
      tensors += expected.size();
    }
    assertThat(checkpoints).isEqualTo(67);
    assertThat(tensors).isEqualTo(1547);
  }

  @Test
  void theIgnoreListIsTheReferences() {
    int checkpoints = 0;
    for (String name : GoldenNames.all()) {
      Json.Obj model = GoldenNames.config(name);
      Optional<QuantizationConfig> config = QuantizationConfig.ofModel(model);
      if (config.isPresent()) {
        List<ClassifiedTensor> source = classified(source(name));
        Set<String> quantized = new LinkedHashSet<>();
        SchemeMatcher schemes = SchemeMatcher.of(config.get());
        source.stream()
            .filter(t -> t.role() == TensorRole.LINEAR && schemes.scheme(t.moduleRef()).isPresent())
            .forEach(t -> quantized.add(t.module()));
        assertThat(quantized).as(name).hasSize(14);
        assertThat(IgnoreList.of(source, quantized, model))
            .as(name)
            .isEqualTo(config.get().ignore());
        checkpoints++;
      }
    }
    assertThat(checkpoints).isEqualTo(61);
  }

  private static List<TensorSpec> compressed(String name) {
    List<TensorSpec> source = source(name);
    Optional<QuantizationConfig> config = QuantizationConfig.ofModel(GoldenNames.config(name));
    if (config.isEmpty()) {
      return source;
    }
    SchemeMatcher schemes = SchemeMatcher.of(config.get());
    List<TensorSpec> result = new ArrayList<>();
    List<ClassifiedTensor> classified = classified(source);
    for (int i = 0; i < source.size(); i++) {
      TensorSpec tensor = source.get(i);
      ClassifiedTensor fate = classified.get(i);
      Optional<QuantizationScheme> scheme =
          fate.role() == TensorRole.LINEAR ? schemes.scheme(fate.moduleRef()) : Optional.empty();
      if (scheme.isEmpty()) {
        result.add(tensor);
        continue;
      }
      long rows = tensor.shape().get(0);
      long columns = tensor.shape().get(1);
      result.addAll(
          CompressedTensorNames.of(fate.module(), rows, columns, scheme.get(), tensor.dtype()));
      if (config.get().kvCacheScheme().isPresent() && fate.module().endsWith("k_proj")) {
        String attention = fate.module().substring(0, fate.module().lastIndexOf('.'));
        result.addAll(
            CompressedTensorNames.keyValueCache(
                attention, config.get().kvCacheScheme().get(), 1, tensor.dtype()));
      }
    }
    return result;
  }

  private static List<ClassifiedTensor> classified(List<TensorSpec> source) {
    return TensorClassifier.forCheckpoint(source).classifyAll(source);
  }

  private static List<TensorSpec> source(String name) {
    String shape = name.contains("-ragged-") ? "ragged" : "plain";
    String dtype = name.substring(name.lastIndexOf('-') + 1);
    try (SafetensorsFile file =
        SafetensorsFile.open(
            TestData.path("golden/source/" + shape + "-" + dtype + "/model.safetensors"))) {
      return file.tensors().stream()
          .map(TensorInfo::spec)
          .sorted(Comparator.comparing(TensorSpec::name))
          .toList();
    }
  }

  private static List<TensorSpec> header(String name) {
    List<TensorSpec> tensors = new ArrayList<>();
    GoldenNames.header(name)
        .members()
        .forEach(
            (tensor, entry) -> {
              List<Json> parts = ((Json.Arr) entry).items();
              long[] shape =
                  ((Json.Arr) parts.get(1))
                      .items().stream()
                          .mapToLong(size -> ((Json.Num) size).asLong().orElseThrow())
                          .toArray();
              String dtype = ((Json.Str) parts.get(0)).value();
              tensors.add(TensorSpec.of(tensor, DType.named(dtype).orElseThrow(), shape));
            });
    return tensors;
  }
}
