package dev.quern.pipeline;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.List;

/**
 * What a model went on with.
 *
 * @param options what was asked for
 * @param promptTokens tokens of the prompt, special ones included
 * @param tokens what was generated, without the one for the end
 * @param text the same as text, special tokens left out
 * @param ended whether the model said that it is done; otherwise the length was reached
 * @param notes what the user should know
 * @param promptNanos wall-clock time of the prompt and the first token
 * @param tokenNanos wall-clock time of the other tokens
 */
public record GenerationReport(
    GenerationOptions options,
    int promptTokens,
    List<Integer> tokens,
    String text,
    boolean ended,
    List<String> notes,
    long promptNanos,
    long tokenNanos) {
  /** Copies the lists. */
  public GenerationReport {
    tokens = List.copyOf(tokens);
    notes = List.copyOf(notes);
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    Json.Obj document =
        Json.Obj.empty()
            .with("finish_reason", Json.of(ended ? "stop" : "length"))
            .with("model", Json.of(options.model().toString()))
            .with("notes", Json.of(notes.stream().map(Json::of).toList()))
            .with("prompt", Json.of(options.prompt()))
            .with("prompt_seconds", Json.of(promptNanos / 1e9))
            .with("prompt_tokens", Json.of(promptTokens))
            .with("text", Json.of(text))
            .with("token_ids", Json.of(tokens.stream().map(id -> Json.of(id)).toList()))
            .with("token_seconds", Json.of(tokenNanos / 1e9));
    return JsonWriter.pretty(document) + "\n";
  }
}
