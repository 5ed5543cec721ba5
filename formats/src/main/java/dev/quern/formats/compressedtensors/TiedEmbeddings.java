package dev.quern.formats.compressedtensors;

import dev.quern.formats.json.Json;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;

/**
 * A table of token embeddings whose matrix is that of the output head, too, so that the file has it
 * once.
 *
 * @param table full name of the embedding
 * @param head full name of the head, which has no tensor of its own
 */
public record TiedEmbeddings(String table, String head) {
  /** The head's name in every family that ties it. */
  public static final String LM_HEAD = "lm_head";

  private static final String KEY = "tie_word_embeddings";
  private static final String TEXT = "text_config";
  private static final Set<String> HEADS = Set.of(LM_HEAD, "embed_out", "output", "head", "ff_out");

  /** Tables of tokens, beside which there may be tables of positions and types. */
  private static final Set<String> TABLES =
      Set.of(
          "embed_tokens",
          "wte",
          "word_embeddings",
          "tok_embeddings",
          "tokens_embed",
          "embed_in",
          "shared");

  /** The pair, when the model ties one and the head is not in the file. */
  public static Optional<TiedEmbeddings> of(
      Collection<ClassifiedTensor> tensors, Json.Obj modelConfig) {
    if (!isTied(tensors, modelConfig) || tensors.stream().anyMatch(TiedEmbeddings::isHead)) {
      return Optional.empty();
    }
    return tensors.stream()
        .filter(t -> t.role() == TensorRole.EMBEDDING && TABLES.contains(last(t)))
        .map(ClassifiedTensor::module)
        .min(Comparator.comparing(String::length).thenComparing(Comparator.naturalOrder()))
        .map(table -> new TiedEmbeddings(table, LM_HEAD));
  }

  /**
   * Whether head and embedding share a matrix. Families whose default is tied leave the key out of
   * config.json; there, a missing head says it.
   */
  public static boolean isTied(Collection<ClassifiedTensor> tensors, Json.Obj modelConfig) {
    Optional<Boolean> told =
        modelConfig.bool(KEY).or(() -> modelConfig.object(TEXT).flatMap(text -> text.bool(KEY)));
    return told.orElseGet(
        () ->
            tensors.stream().anyMatch(t -> t.role() == TensorRole.EMBEDDING)
                && tensors.stream().noneMatch(TiedEmbeddings::isHead));
  }

  /** A config.json that says whether they are tied, where it said so before or else at the top. */
  public static Json.Obj withTied(Json.Obj modelConfig, boolean tied) {
    Json.Obj result = modelConfig;
    Optional<Json.Obj> text = modelConfig.object(TEXT).filter(t -> t.has(KEY));
    if (text.isPresent()) {
      result = result.with(TEXT, text.get().with(KEY, Json.of(tied)));
    }
    return text.isEmpty() || modelConfig.has(KEY) ? result.with(KEY, Json.of(tied)) : result;
  }

  private static boolean isHead(ClassifiedTensor tensor) {
    return HEADS.contains(last(tensor));
  }

  private static String last(ClassifiedTensor tensor) {
    return tensor.module().substring(tensor.module().lastIndexOf('.') + 1);
  }
}
