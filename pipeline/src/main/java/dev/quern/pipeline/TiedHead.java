package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.TensorRole;
import dev.quern.formats.compressedtensors.TiedEmbeddings;
import dev.quern.formats.json.Json;
import java.util.List;
import java.util.Optional;

/**
 * What becomes of an output head that shares the embedding's matrix, when one of the two is
 * quantized. As in the reference they are untied, and tied again when both get the same scheme.
 *
 * @param untied the head as a tensor of its own, made from the embedding's
 * @param shared the head's scheme, when it is the embedding's and so are the tensors
 * @param tied what config.json has to say about it; empty when nothing changes
 */
record TiedHead(
    Optional<TensorPlan> untied, Optional<QuantizationScheme> shared, Optional<Boolean> tied) {
  static final TiedHead UNCHANGED =
      new TiedHead(Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * @param plans what becomes of every tensor of the source
   */
  static TiedHead of(
      List<TensorPlan> plans,
      List<ClassifiedTensor> classified,
      Json.Obj modelConfig,
      TensorFates fates) {
    Optional<TiedEmbeddings> pair = TiedEmbeddings.of(classified, modelConfig);
    if (pair.isEmpty()) {
      boolean both = TiedEmbeddings.isTied(classified, modelConfig) && quantizesStored(plans);
      return both
          ? new TiedHead(Optional.empty(), Optional.empty(), Optional.of(false))
          : UNCHANGED;
    }
    TensorPlan table = plans.stream().filter(t -> isTable(t, pair.get())).findFirst().orElseThrow();
    ClassifiedTensor head =
        new ClassifiedTensor(
            pair.get().head() + ".weight",
            pair.get().head(),
            "weight",
            TensorRole.LINEAR,
            ModuleClass.LINEAR,
            "head, untied from " + pair.get().table());
    TensorPlan plan = fates.untied(table, head);
    if (table.scheme().isEmpty() && plan.scheme().isEmpty()) {
      return UNCHANGED;
    }
    boolean same = plan.scheme().isPresent() && numbers(plan).equals(numbers(table));
    return same
        ? new TiedHead(Optional.empty(), plan.scheme(), Optional.of(true))
        : new TiedHead(Optional.of(plan), Optional.empty(), Optional.of(false));
  }

  /** A file may hold both although config.json ties them. */
  private static boolean quantizesStored(List<TensorPlan> plans) {
    return plans.stream()
        .filter(plan -> plan.scheme().isPresent())
        .anyMatch(
            plan ->
                plan.module().equals(TiedEmbeddings.LM_HEAD)
                    || plan.module().endsWith("embed_tokens"));
  }

  private static boolean isTable(TensorPlan plan, TiedEmbeddings pair) {
    return plan.name().equals(pair.table() + ".weight");
  }

  private static Optional<QuantizationScheme> numbers(TensorPlan plan) {
    return plan.scheme().map(scheme -> scheme.withTargets(List.of()));
  }
}
