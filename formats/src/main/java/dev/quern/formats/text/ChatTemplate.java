package dev.quern.formats.text;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.jinja.Template;
import dev.quern.formats.jinja.TemplateException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.Utf8Text;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How a model wants conversations written.
 *
 * <p>{@code chat_template.jinja} wins over the {@code chat_template} of {@code
 * tokenizer_config.json}; of several templates there, the one named {@code default} is taken.
 * Templates see {@code messages}, {@code tools}, {@code documents} (none), {@code
 * add_generation_prompt} (true only where the model shall answer), and the special tokens by name.
 *
 * <p>Source: transformers, {@code PreTrainedTokenizerBase.apply_chat_template}.
 */
public final class ChatTemplate {
  private static final String FILE = "chat_template.jinja";
  private static final String CONFIG = "tokenizer_config.json";
  private static final String REMEDY =
      "Take the file from the model's original source, or give the data as text or token ids.";

  private final String where;
  private final Template template;
  private final Map<String, Json> specialTokens;

  private ChatTemplate(String where, Template template, Map<String, Json> specialTokens) {
    this.where = where;
    this.template = template;
    this.specialTokens = specialTokens;
  }

  /**
   * Opens the template of a model folder.
   *
   * @throws CheckpointException when there is none, or it is broken
   */
  public static ChatTemplate open(Path modelFolder) {
    Path file = modelFolder.resolve(FILE);
    Path config = modelFolder.resolve(CONFIG);
    Json.Obj settings =
        Files.isRegularFile(config) ? JsonReader.readObject(config) : Json.Obj.empty();
    if (Files.isRegularFile(file)) {
      return parse(file.toString(), read(file), settings);
    }
    Json given = settings.find("chat_template").orElse(Json.Null.NULL);
    String place = config + ": chat_template";
    return switch (given) {
      case Json.Str text -> parse(place, text.value(), settings);
      case Json.Arr several -> parse(place, byDefault(place, several), settings);
      case Json.Null _ ->
          throw new CheckpointException(
              modelFolder.toString(),
              "no chat template: neither "
                  + FILE
                  + " nor a chat_template in "
                  + CONFIG
                  + ", but there are conversations ('messages')",
              "A base model has none: give plain text, or take the template of the model's instruct"
                  + " variant.");
      default ->
          throw new CheckpointException(
              place, "should be a string or a list, found " + given.kind(), REMEDY);
    };
  }

  private static String byDefault(String place, Json.Arr several) {
    for (Json each : several.items()) {
      if (each instanceof Json.Obj named
          && named.string("name").filter("default"::equals).isPresent()
          && named.string("template").isPresent()) {
        return named.string("template").get();
      }
    }
    throw new CheckpointException(
        place, "expected a template named default among several, found none", REMEDY);
  }

  private static String read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(4 * Template.MAX_CHARS + 1);
      Utf8Text text = Utf8Text.decode(bytes, file.toString(), 0, REMEDY);
      return new String(text.chars(), 0, text.length());
    } catch (IOException e) {
      throw new CheckpointException(
          file.toString(), "cannot be read (" + e + ")", "Check permissions and the disk.", e);
    }
  }

  private static ChatTemplate parse(String where, String source, Json.Obj settings) {
    Map<String, Json> tokens = new LinkedHashMap<>();
    settings
        .members()
        .forEach(
            (name, value) -> {
              if (!name.endsWith("_token")) {
                return;
              }
              // A token is a text, or an object with a text and how it matches.
              if (value instanceof Json.Str) {
                tokens.put(name, value);
              } else if (value instanceof Json.Obj added && added.string("content").isPresent()) {
                tokens.put(name, Json.of(added.string("content").get()));
              }
            });
    try {
      return new ChatTemplate(where, Template.parse(source), tokens);
    } catch (TemplateException e) {
      throw new CheckpointException(
          where + ", line " + e.line(), "a broken template: " + e.getMessage(), REMEDY, e);
    }
  }

  /**
   * Renders a conversation.
   *
   * @param messages objects with {@code role} and {@code content}, and what else the template reads
   * @param tools descriptions of tools, or null
   * @param data where the conversation stands, for messages
   * @throws CheckpointException when the template refuses it
   */
  public String render(Json messages, Json tools, String data) {
    return render(messages, tools, data, false);
  }

  /**
   * Renders a conversation, and behind it what begins the model's answer.
   *
   * @param messages as for {@link #render}
   * @param data where the conversation stands, for messages
   * @throws CheckpointException when the template refuses it
   */
  public String renderPrompt(Json messages, String data) {
    return render(messages, null, data, true);
  }

  private String render(Json messages, Json tools, String data, boolean generationPrompt) {
    Map<String, Json> variables = new LinkedHashMap<>(specialTokens);
    variables.put("messages", messages);
    variables.put("tools", tools == null ? Json.Null.NULL : tools);
    variables.put("documents", Json.Null.NULL);
    variables.put("add_generation_prompt", Json.of(generationPrompt));
    try {
      return template.render(variables);
    } catch (TemplateException e) {
      throw new CheckpointException(
          data,
          (e.raisedByTemplate()
                  ? "the model's chat template refuses the conversation: "
                  : "the model's chat template fails on the conversation: ")
              + e.getMessage()
              + " ("
              + where
              + ", line "
              + e.line()
              + ")",
          e.raisedByTemplate()
              ? "Correct the conversation, or take it out."
              : "Check roles and contents of the messages, or give the data as text or token ids.",
          e);
    }
  }
}
