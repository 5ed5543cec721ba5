package dev.quern.cli;

import dev.quern.pipeline.EvaluationReport;
import dev.quern.pipeline.EvaluationReport.Comparison;
import dev.quern.pipeline.EvaluationReport.Estimate;
import dev.quern.pipeline.EvaluationReport.ModelScore;
import java.nio.file.Path;
import java.util.Locale;

/** What {@code quern eval} prints for people. */
final class EvaluationTable {
  private EvaluationTable() {}

  static String of(EvaluationReport report) {
    TextTable table = new TextTable("model", "weights", "activations", " perplexity", " loss");
    report
        .comparison()
        .ifPresent(c -> add(table, report.options().against().orElseThrow(), c.source()));
    add(table, report.options().model(), report.model());
    StringBuilder out = new StringBuilder(table.toString()).append('\n');
    report.comparison().ifPresent(comparison -> add(out, comparison));
    out.append(
        String.format(
            Locale.ROOT,
            "%d tokens predicted in %d window%s of %d%s, %.1f s%n",
            report.tokens(),
            report.windows(),
            report.windows() == 1 ? "" : "s",
            report.window(),
            report.leftOut() == 0 ? "" : ", " + report.leftOut() + " left out at the end",
            report.nanos() / 1e9));
    return out.toString();
  }

  private static void add(TextTable table, Path model, ModelScore score) {
    table.row(
        model.toString(),
        score.weights(),
        score.activations(),
        estimate(score.perplexity(), 3, 1),
        estimate(score.loss(), 4, 1));
  }

  private static void add(StringBuilder out, Comparison comparison) {
    Estimate ratio = comparison.perplexityRatio();
    Estimate change = new Estimate(ratio.value() - 1, ratio.standardError());
    out.append("perplexity     ").append(signed(change)).append(" % of the source's\n");
    out.append("KL divergence  ").append(estimate(comparison.divergence(), 5, 1)).append(" nats\n");
    out.append("same top-1     ").append(estimate(comparison.topOne(), 1, 100)).append(" %\n");
  }

  private static String signed(Estimate estimate) {
    String text = estimate(estimate, 2, 100);
    return text.startsWith("-") ? text : "+" + text;
  }

  /** The value, and its standard error where there is one. */
  private static String estimate(Estimate estimate, int digits, double factor) {
    String format = "%." + digits + "f";
    String value = String.format(Locale.ROOT, format, estimate.value() * factor);
    if (estimate.standardError().isEmpty()) {
      return value;
    }
    double error = estimate.standardError().getAsDouble() * factor;
    return value + " ± " + String.format(Locale.ROOT, format, error);
  }
}
