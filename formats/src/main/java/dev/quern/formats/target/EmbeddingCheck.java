package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.ModuleClass;
import java.util.List;

/** Quantized tables are read by few engines and few model classes of these. */
final class EmbeddingCheck implements EngineCheck {
  @Override
  public List<Finding> check(ServedModel model) {
    return model.modules().stream()
        .filter(m -> m.className().equals(ModuleClass.EMBEDDING) && m.scheme().isPresent())
        .map(
            module ->
                Finding.degraded(
                    module.name(),
                    "vLLM reads quantized embeddings for few of its model classes",
                    "Try the model's class, or leave the embedding out of the targets."))
        .toList();
  }
}
