package dev.quern.formats.text;

import dev.quern.formats.json.Json;
import java.nio.file.Path;
import java.util.Objects;

/**
 * From texts and conversations to a model's token ids. Opens the tokenizer and the chat template
 * when the first text or conversation comes, not before. For one thread.
 */
public final class TextEncoder implements AutoCloseable {
  private final Path modelFolder;
  private Tokenizer tokenizer;
  private ChatTemplate template;

  private TextEncoder(Path modelFolder) {
    this.modelFolder = modelFolder;
  }

  /** The encoder of a model folder, of which nothing is read yet. */
  public static TextEncoder of(Path modelFolder) {
    return new TextEncoder(Objects.requireNonNull(modelFolder));
  }

  /**
   * The ids of a text, with the special tokens that the tokenizer adds.
   *
   * @throws dev.quern.formats.CheckpointException when the model has no usable tokenizer
   */
  public int[] encode(String text) {
    return tokenizer().encode(text, true);
  }

  /**
   * The ids of a conversation. The template writes the special tokens, so none are added.
   *
   * @param messages a list of objects with {@code role} and {@code content}
   * @param tools descriptions of tools, or null
   * @param where where the conversation stands, for messages
   * @throws dev.quern.formats.CheckpointException when the model has no usable tokenizer or
   *     template, or the template refuses the conversation
   */
  public int[] encodeChat(Json messages, Json tools, String where) {
    if (template == null) {
      template = ChatTemplate.open(modelFolder);
    }
    return tokenizer().encode(template.render(messages, tools, where), false);
  }

  private Tokenizer tokenizer() {
    if (tokenizer == null) {
      tokenizer = Tokenizer.open(modelFolder);
    }
    return tokenizer;
  }

  /** Frees what was opened. */
  @Override
  public void close() {
    if (tokenizer != null) {
      tokenizer.close();
      tokenizer = null;
    }
  }
}
