package dev.quern.pipeline;

import dev.quern.formats.text.Tokenizer;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Turns tokens into text as they come. A character may take several tokens, and how a token reads
 * may depend on the one before it; so some tokens before are decoded again each time, and what ends
 * in the middle of a character waits.
 */
final class TextStream {
  private static final String INCOMPLETE = "\uFFFD";

  private final Tokenizer tokenizer;
  private final Consumer<String> listener;
  private final StringBuilder text = new StringBuilder();
  private int[] ids;
  private int context;
  private int said;

  /**
   * @param prompt what comes before the first token
   */
  TextStream(Tokenizer tokenizer, int[] prompt, Consumer<String> listener) {
    this.tokenizer = tokenizer;
    this.listener = listener;
    ids = prompt.clone();
    said = ids.length;
    context = Math.max(0, said - 6);
  }

  void add(int token) {
    ids = Arrays.copyOf(ids, ids.length + 1);
    ids[ids.length - 1] = token;
    if (!decode(context, ids.length).endsWith(INCOMPLETE)) {
      say();
    }
  }

  /** Says what still waits. */
  void finish() {
    if (said < ids.length) {
      say();
    }
  }

  private void say() {
    String before = decode(context, said);
    String all = decode(context, ids.length);
    String more = all.length() > before.length() ? all.substring(before.length()) : "";
    context = said;
    said = ids.length;
    if (!more.isEmpty()) {
      text.append(more);
      listener.accept(more);
    }
  }

  private String decode(int from, int to) {
    return tokenizer.decode(Arrays.copyOfRange(ids, from, to));
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
