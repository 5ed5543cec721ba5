package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.EndTokens;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.Utf8Text;
import dev.quern.formats.text.ChatTemplate;
import dev.quern.formats.text.Tokenizer;
import dev.quern.pipeline.evaluation.Evaluation;
import dev.quern.pipeline.evaluation.Generation;
import dev.quern.pipeline.model.DecoderModel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** From options to a text: opens the model, reads the prompt, generates, and says it bit by bit. */
final class Generator {
  private final GenerationOptions options;
  private final Consumer<String> listener;
  private final List<String> notes = new ArrayList<>();

  private Generator(GenerationOptions options, Consumer<String> listener) {
    this.options = options;
    this.listener = listener;
  }

  /**
   * @param listener hears pieces of the text as they come
   * @throws CheckpointException when the model or the prompt is refused
   */
  static GenerationReport run(GenerationOptions options, Consumer<String> listener) {
    try (DecoderModel model = DecoderModel.open(options.model());
        Tokenizer tokenizer = Tokenizer.open(options.model())) {
      return new Generator(options, listener).run(model, tokenizer);
    }
  }

  private GenerationReport run(DecoderModel model, Tokenizer tokenizer) {
    Evaluation.Subject subject =
        options.activationQuantization()
            ? Evaluation.Subject.asItRuns(model)
            : Evaluation.Subject.withPlainActivations(model);
    notes.addAll(subject.notes());
    int[] prompt = prompt(model, tokenizer);
    int capacity = capacity(model, prompt.length);
    List<Integer> ends = EndTokens.of(model.checkpoint()).all();
    List<Integer> tokens = new ArrayList<>();
    TextStream text = new TextStream(tokenizer, prompt, listener);
    final long start = System.nanoTime();
    try (Generation generation =
        new Generation(subject, capacity, options.threads(), options.memoryBytes())) {
      if (generation.layersDecodedAgain() > 0) {
        notes.add(
            generation.layersDecodedAgain()
                + " layers are decoded for each token anew; with more --memory they are kept");
      }
      int next = generation.next(prompt);
      final long first = System.nanoTime();
      while (!ends.contains(next)) {
        tokens.add(next);
        text.add(next);
        if (tokens.size() == options.maxTokens() || generation.isFull()) {
          break;
        }
        if (Thread.currentThread().isInterrupted()) {
          throw new IllegalStateException("interrupted during a generation");
        }
        next = generation.next(next);
      }
      text.finish();
      return new GenerationReport(
          options,
          prompt.length,
          tokens,
          text.toString(),
          ends.contains(next),
          notes,
          first - start,
          System.nanoTime() - first);
    }
  }

  private int[] prompt(DecoderModel model, Tokenizer tokenizer) {
    if (!Utf8Text.isWellFormed(options.prompt())) {
      throw new CheckpointException(
          "--prompt",
          "expected Unicode text, found half a surrogate pair",
          "Check the terminal's encoding.");
    }
    int[] ids;
    if (options.chat()) {
      Json message =
          Json.Obj.empty().with("role", Json.of("user")).with("content", Json.of(options.prompt()));
      String text =
          ChatTemplate.open(model.folder()).renderPrompt(Json.of(List.of(message)), "--prompt");
      ids = tokenizer.encode(text, false);
    } else {
      ids = tokenizer.encode(options.prompt(), true);
    }
    if (ids.length == 0) {
      throw new CheckpointException(
          "--prompt", "expected at least one token, found none", "Give a longer text.");
    }
    for (int id : ids) {
      if (id >= model.spec().vocabulary()) {
        throw new CheckpointException(
            model.folder().toString(),
            "expected tokens below " + model.spec().vocabulary() + ", found " + id,
            "The tokenizer is not this model's: take the one from its original source.");
      }
    }
    return ids;
  }

  /** Tokens in all: no more than the model was made for. */
  private int capacity(DecoderModel model, int prompt) {
    long wanted = (long) prompt + options.maxTokens();
    long most = model.checkpoint().config().integer("max_position_embeddings").orElse(wanted);
    if (prompt >= most) {
      throw new CheckpointException(
          "--prompt",
          "expected less than the model's max_position_embeddings, "
              + most
              + ", found "
              + prompt
              + " tokens",
          "Give a shorter text.");
    }
    if (wanted > most) {
      notes.add("the text ends with the model's max_position_embeddings, " + most);
    }
    return (int) Math.min(Math.min(wanted, most), Integer.MAX_VALUE);
  }
}
