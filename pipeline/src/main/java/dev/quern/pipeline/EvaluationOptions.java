package dev.quern.pipeline;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which model to evaluate, on what, and with which means.
 *
 * @param model folder of the checkpoint, plain or compressed
 * @param text the file to read: plain text, JSON lines or token ids
 * @param against folder of the checkpoint that it was made from; empty for perplexity alone
 * @param window tokens that the model reads at once, at least 2; empty for {@value
 *     #DEFAULT_WINDOW}, or what config.json says that it can read if that is less
 * @param limit the most tokens of the text, at least 2; empty for {@value #MAX_TOKENS}
 * @param activationQuantization whether activations, keys and values are rounded as the
 *     checkpoint's schemes say; otherwise only the weights differ
 * @param threads worker threads, from 1 to 1024; results do not depend on it
 * @param memoryBytes the budget: half of it is for activations, of which the rest goes to a
 *     temporary file; weights of one layer come on top
 */
public record EvaluationOptions(
    Path model,
    Path text,
    Optional<Path> against,
    OptionalInt window,
    OptionalInt limit,
    boolean activationQuantization,
    int threads,
    long memoryBytes) {
  /** The default of {@link #window}, in tokens. */
  public static final int DEFAULT_WINDOW = 512;

  /** The default of {@link #limit}, in tokens. */
  public static final int MAX_TOKENS = 1 << 25;

  /** Checks the numbers. */
  public EvaluationOptions {
    Objects.requireNonNull(model);
    Objects.requireNonNull(text);
    Objects.requireNonNull(against);
    requireTokens("--window", window);
    requireTokens("--limit", limit);
    CompressionOptions.requireThreads(threads);
    CompressionOptions.requireMemory(memoryBytes);
  }

  private static void requireTokens(String option, OptionalInt value) {
    if (value.isPresent() && (value.getAsInt() < 2 || value.getAsInt() > MAX_TOKENS)) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          option + " " + value.getAsInt(),
          "not a usable number of tokens",
          "Use 2 to " + MAX_TOKENS + ": the first token of a window is not predicted.");
    }
  }

  /** Perplexity alone, with defaults for everything: all processors, 512 MB. */
  public static EvaluationOptions of(Path model, Path text) {
    return new EvaluationOptions(
        model,
        text,
        Optional.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        true,
        Runtime.getRuntime().availableProcessors(),
        CompressionOptions.DEFAULT_MEMORY);
  }

  /** These options with a source to compare with. */
  public EvaluationOptions withAgainst(Path source) {
    return new EvaluationOptions(
        model,
        text,
        Optional.of(source),
        window,
        limit,
        activationQuantization,
        threads,
        memoryBytes);
  }

  /** These options with another window. */
  public EvaluationOptions withWindow(int tokens) {
    return new EvaluationOptions(
        model,
        text,
        against,
        OptionalInt.of(tokens),
        limit,
        activationQuantization,
        threads,
        memoryBytes);
  }

  /** These options with less text. */
  public EvaluationOptions withLimit(int tokens) {
    return new EvaluationOptions(
        model,
        text,
        against,
        window,
        OptionalInt.of(tokens),
        activationQuantization,
        threads,
        memoryBytes);
  }

  /** These options with or without rounded activations. */
  public EvaluationOptions withActivationQuantization(boolean on) {
    return new EvaluationOptions(model, text, against, window, limit, on, threads, memoryBytes);
  }

  /** These options with another number of threads. */
  public EvaluationOptions withThreads(int threads) {
    return new EvaluationOptions(
        model, text, against, window, limit, activationQuantization, threads, memoryBytes);
  }

  /** These options with another memory budget. */
  public EvaluationOptions withMemoryBytes(long memoryBytes) {
    return new EvaluationOptions(
        model, text, against, window, limit, activationQuantization, threads, memoryBytes);
  }
}
