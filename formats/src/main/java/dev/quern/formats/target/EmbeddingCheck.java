package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.ModuleClass;
import java.util.ArrayList;
import java.util.List;

/**
 * Quantized tables are read by few engines and few model classes of these, and rows are looked up
 * in them, nothing more.
 *
 * <p>Source: vLLM, {@code compressed_tensors_embedding.py}: its {@code apply} raises.
 */
final class EmbeddingCheck implements EngineCheck {
  @Override
  public List<Finding> check(ServedModel model) {
    List<Finding> findings = new ArrayList<>();
    for (ServedModule module : model.modules()) {
      if (module.className().equals(ModuleClass.EMBEDDING) && module.scheme().isPresent()) {
        findings.add(
            model.sharedHead()
                ? Finding.refused(
                    module.name(),
                    "vLLM looks rows up in a quantized embedding and computes no logits with it,"
                        + " and the output head shares its matrix",
                    "Leave lm_head out of the targets; it is then written in full precision.")
                : Finding.degraded(
                    module.name(),
                    "vLLM reads quantized embeddings for few of its model classes",
                    "Try the model's class, or leave the embedding out of the targets."));
      }
    }
    return findings;
  }
}
