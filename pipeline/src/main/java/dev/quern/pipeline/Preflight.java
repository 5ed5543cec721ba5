package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.TensorRole;
import dev.quern.formats.json.Json;
import dev.quern.formats.target.EngineChecks;
import dev.quern.formats.target.Finding;
import dev.quern.formats.target.ServedModel;
import dev.quern.formats.target.ServedModule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Asks before anything is computed whether vLLM will take the result. Without {@code
 * --tensor-parallel} the answers are warnings; with it, what would not load is refused.
 */
final class Preflight {
  private Preflight() {}

  /**
   * @return warnings
   * @throws QuernException when a number of ranks was given and something would not load on them
   */
  static List<String> check(
      CompressionOptions options,
      List<TensorPlan> tensors,
      List<ClassifiedTensor> classified,
      TiedHead head,
      QuantizationConfig config,
      Json.Obj modelConfig) {
    ServedModel model =
        new ServedModel(
            modules(tensors, classified),
            config,
            count(modelConfig, "num_attention_heads"),
            count(modelConfig, "num_key_value_heads"),
            head.shared().isPresent(),
            options.tensorParallel().orElse(1));
    List<String> warnings = new ArrayList<>();
    for (Finding finding : EngineChecks.run(model)) {
      if (options.tensorParallel().isPresent() && finding.severity() == Finding.Severity.REFUSED) {
        throw new QuernException(
            QuernException.Kind.REQUEST,
            "--tensor-parallel " + options.tensorParallel().getAsInt() + ", " + finding.module(),
            finding.problem(),
            finding.remedy());
      }
      warnings.add(finding.module() + ": " + finding.problem() + ". " + finding.remedy());
    }
    return warnings;
  }

  private static List<ServedModule> modules(
      List<TensorPlan> tensors, List<ClassifiedTensor> classified) {
    Map<String, ClassifiedTensor> matrices = new HashMap<>();
    classified.stream()
        .filter(t -> t.role() == TensorRole.LINEAR || t.role() == TensorRole.EMBEDDING)
        .forEach(t -> matrices.put(t.tensor(), t));
    List<ServedModule> modules = new ArrayList<>();
    for (TensorPlan tensor : tensors) {
      ClassifiedTensor matrix = matrices.get(tensor.name());
      if (matrix != null) {
        // A head that is untied has the embedding's matrix and a module of its own.
        boolean own = matrix.module().equals(tensor.module());
        modules.add(
            new ServedModule(
                tensor.module(),
                own ? matrix.className() : ModuleClass.LINEAR,
                tensor.shape().get(0),
                tensor.shape().get(1),
                tensor.scheme()));
      }
    }
    return modules;
  }

  /** A number at the top, or in the part on text of a model with pictures. */
  private static OptionalLong count(Json.Obj config, String key) {
    return config
        .integer(key)
        .or(() -> config.object("text_config").flatMap(text -> text.integer(key)))
        .filter(value -> value > 0)
        .map(OptionalLong::of)
        .orElse(OptionalLong.empty());
  }
}
