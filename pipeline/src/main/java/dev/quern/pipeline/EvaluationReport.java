package dev.quern.pipeline;

import dev.quern.engine.evaluation.WindowMean;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What an evaluation found.
 *
 * @param options what was asked for
 * @param window tokens of a window
 * @param windows how many
 * @param tokens how many were predicted: all but the first of each window
 * @param leftOut tokens at the end of the text, less than a window
 * @param notes what the user should know: that there is no standard error, what is not simulated
 * @param model of the model
 * @param comparison absent without a source
 * @param spilledBytes activations that were in a temporary file, for want of memory
 * @param nanos wall-clock time
 */
public record EvaluationReport(
    EvaluationOptions options,
    int window,
    int windows,
    long tokens,
    int leftOut,
    List<String> notes,
    ModelScore model,
    Optional<Comparison> comparison,
    long spilledBytes,
    long nanos) {
  /** Copies the list. */
  public EvaluationReport {
    notes = List.copyOf(notes);
  }

  /**
   * A mean over tokens.
   *
   * @param standardError from the differences between windows, see docs/eval.md; empty for a single
   *     window
   */
  public record Estimate(double value, OptionalDouble standardError) {
    static Estimate of(WindowMean mean) {
      return new Estimate(mean.mean(), mean.standardError());
    }

    /** The exponential, with the standard error that follows to the first order. */
    Estimate exp() {
      double exp = StrictMath.exp(value);
      return new Estimate(exp, scaled(standardError, exp));
    }

    private static OptionalDouble scaled(OptionalDouble error, double factor) {
      return error.isPresent()
          ? OptionalDouble.of(error.getAsDouble() * factor)
          : OptionalDouble.empty();
    }
  }

  /**
   * One model on the text.
   *
   * @param loss mean of {@code -ln p}, in nats a token
   * @param perplexity {@code exp(loss)}
   * @param weights how they are stored, a few words
   * @param activations what is done to them, a few words
   */
  public record ModelScore(
      Estimate loss, Estimate perplexity, String weights, String activations) {}

  /**
   * A model beside its source.
   *
   * @param source of the source, on the same text
   * @param perplexityRatio the model's perplexity over the source's; its error is that of the
   *     difference of losses, which is far smaller than that of either
   * @param divergence KL(source || model), in nats a token
   * @param topOne share of tokens with the same most likely token
   */
  public record Comparison(
      ModelScore source, Estimate perplexityRatio, Estimate divergence, Estimate topOne) {}

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return EvaluationJson.of(this);
  }
}
