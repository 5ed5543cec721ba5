package dev.quern.formats.huggingface;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * The tokens by which a model says that it is done: {@code eos_token_id}, one or a list, of
 * config.json and of generation_config.json.
 *
 * @param ofText the first of config.json, or else of generation_config.json: what stands behind a
 *     text in training data; empty where neither says
 * @param all of both files, ascending: where generation stops
 */
public record EndTokens(OptionalInt ofText, List<Integer> all) {
  private static final String KEY = "eos_token_id";
  private static final String GENERATION = "generation_config.json";

  /** Copies the list. */
  public EndTokens {
    all = List.copyOf(all);
  }

  /**
   * The end tokens of a model.
   *
   * @throws dev.quern.formats.CheckpointException when generation_config.json cannot be read
   */
  public static EndTokens of(HuggingFaceCheckpoint checkpoint) {
    List<Integer> found = new ArrayList<>(ids(checkpoint.config()));
    if (checkpoint.otherFiles().contains(GENERATION)) {
      found.addAll(ids(JsonReader.readObject(checkpoint.directory().resolve(GENERATION))));
    }
    OptionalInt first = found.isEmpty() ? OptionalInt.empty() : OptionalInt.of(found.getFirst());
    return new EndTokens(first, List.copyOf(new TreeSet<>(found)));
  }

  private static List<Integer> ids(Json.Obj config) {
    Json value =
        config
            .find(KEY)
            .or(() -> config.object("text_config").flatMap(text -> text.find(KEY)))
            .orElse(Json.Null.NULL);
    List<Json> items = value instanceof Json.Arr list ? list.items() : List.of(value);
    return items.stream()
        .filter(Json.Num.class::isInstance)
        .map(item -> ((Json.Num) item).asLong())
        .filter(id -> id.isPresent() && id.getAsLong() >= 0 && id.getAsLong() < Integer.MAX_VALUE)
        .map(id -> (int) id.getAsLong())
        .toList();
  }
}
