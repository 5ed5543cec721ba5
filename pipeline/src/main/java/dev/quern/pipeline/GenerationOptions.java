package dev.quern.pipeline;

import java.nio.file.Path;
import java.util.Objects;

/**
 * What a model shall go on with, and with which means.
 *
 * @param model folder of the checkpoint, plain or compressed
 * @param prompt the text to go on with, not empty
 * @param chat whether the prompt is what a user says, and the model's chat template is around it
 * @param maxTokens the most tokens to generate, at least 1
 * @param activationQuantization whether activations, keys and values are rounded as the
 *     checkpoint's schemes say
 * @param threads worker threads, from 1 to 1024; the text does not depend on it
 * @param memoryBytes what the cache of keys and values and decoded weights may occupy; layers that
 *     do not fit are decoded for each token anew
 */
public record GenerationOptions(
    Path model,
    String prompt,
    boolean chat,
    int maxTokens,
    boolean activationQuantization,
    int threads,
    long memoryBytes) {
  /** The default of {@link #maxTokens}. */
  public static final int DEFAULT_TOKENS = 128;

  private static final int MOST_TOKENS = 1 << 20;

  /** Checks the numbers. */
  public GenerationOptions {
    Objects.requireNonNull(model);
    Objects.requireNonNull(prompt);
    if (prompt.isEmpty()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--prompt",
          "expected a text, found none",
          "Give the beginning that the model shall go on with.");
    }
    if (maxTokens < 1 || maxTokens > MOST_TOKENS) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--max-tokens " + maxTokens,
          "not a usable number of tokens",
          "Use 1 to " + MOST_TOKENS + ".");
    }
    CompressionOptions.requireThreads(threads);
    CompressionOptions.requireMemory(memoryBytes);
  }

  /** Defaults for everything but these two: 128 tokens, no chat, all processors, 512 MB. */
  public static GenerationOptions of(Path model, String prompt) {
    return new GenerationOptions(
        model,
        prompt,
        false,
        DEFAULT_TOKENS,
        true,
        Runtime.getRuntime().availableProcessors(),
        CompressionOptions.DEFAULT_MEMORY);
  }

  /** These options with or without the chat template. */
  public GenerationOptions withChat(boolean on) {
    return new GenerationOptions(
        model, prompt, on, maxTokens, activationQuantization, threads, memoryBytes);
  }

  /** These options with another length. */
  public GenerationOptions withMaxTokens(int tokens) {
    return new GenerationOptions(
        model, prompt, chat, tokens, activationQuantization, threads, memoryBytes);
  }

  /** These options with or without rounded activations. */
  public GenerationOptions withActivationQuantization(boolean on) {
    return new GenerationOptions(model, prompt, chat, maxTokens, on, threads, memoryBytes);
  }

  /** These options with another number of threads. */
  public GenerationOptions withThreads(int threads) {
    return new GenerationOptions(
        model, prompt, chat, maxTokens, activationQuantization, threads, memoryBytes);
  }

  /** These options with another memory budget. */
  public GenerationOptions withMemoryBytes(long memoryBytes) {
    return new GenerationOptions(
        model, prompt, chat, maxTokens, activationQuantization, threads, memoryBytes);
  }
}
