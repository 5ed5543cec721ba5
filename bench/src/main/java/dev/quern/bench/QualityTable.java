package dev.quern.bench;

import dev.quern.pipeline.CompressionOptions;
import dev.quern.pipeline.EvaluationOptions;
import dev.quern.pipeline.EvaluationReport;
import dev.quern.pipeline.EvaluationReport.Estimate;
import dev.quern.pipeline.Progress;
import dev.quern.pipeline.Quern;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Compresses a model with every scheme that needs no data, evaluates each result against the model,
 * and prints one line for each, beside the figures of another program where a file has them.
 */
public final class QualityTable {
  private static final String USAGE =
      """
      bench/run quality --model FOLDER --text FILE [--window 256] [--filter REGEX]
          [--reference FILE --reference-model NAME] [--compressed NAME=FOLDER]...
        Prints perplexity, KL divergence and top-1 agreement of each scheme.
        A reference has lines of model, scheme, perplexity, KL, top-1, separated by tabs.
      """;

  /**
   * A way to compress.
   *
   * @param name in the table
   * @param observer empty for the scheme's own
   */
  private record Way(String name, String scheme, String observer) {
    Way(String scheme) {
      this(scheme, scheme, "");
    }
  }

  private static final List<Way> WAYS =
      List.of(
          new Way("W8A8"),
          new Way("FP8_DYNAMIC"),
          new Way("FP8_BLOCK"),
          new Way("W8A16"),
          new Way("W4A16"),
          new Way("W4A16 mse", "W4A16", "memoryless_mse"),
          new Way("W4A16 exact", "W4A16", "exact"),
          new Way("W4A16_ASYM"),
          new Way("NVFP4A16"),
          new Way("NVFP4 expanded", "NVFP4A16", "nvfp4_expanded_mse"),
          new Way("NVFP4 exact", "NVFP4A16", "exact"),
          new Way("MXFP4A16"),
          new Way("MXFP4"),
          new Way("MXFP8A16"),
          new Way("MXFP8"),
          new Way("W4A8"),
          new Way("W4AFP8"));

  /** Figures of another program. */
  private record Reference(double perplexity, double divergence, double topOne) {}

  private final Path model;
  private final Path text;
  private final int window;
  private final Map<String, Reference> references;

  private QualityTable(Path model, Path text, int window, Map<String, Reference> references) {
    this.model = model;
    this.text = text;
    this.window = window;
    this.references = references;
  }

  /** See the usage. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Map<String, String> options = new HashMap<>(Map.of("--window", "256", "--filter", ""));
    Map<String, Path> compressed = new LinkedHashMap<>();
    for (int i = 0; i < args.length; i += 2) {
      boolean known =
          List.of("--model", "--text", "--window", "--filter", "--reference", "--reference-model")
              .contains(args[i]);
      if (i + 1 == args.length || !known && !args[i].equals("--compressed")) {
        fail();
      }
      if (known) {
        options.put(args[i], args[i + 1]);
      } else {
        String[] pair = args[i + 1].split("=", 2);
        if (pair.length < 2) {
          fail();
        }
        compressed.put(pair[0], Path.of(pair[1]));
      }
    }
    if (!options.containsKey("--model") || !options.containsKey("--text")) {
      fail();
    }
    QualityTable table =
        new QualityTable(
            Path.of(options.get("--model")),
            Path.of(options.get("--text")),
            Integer.parseInt(options.get("--window")),
            references(options.get("--reference"), options.get("--reference-model")));
    table.print(options.get("--filter"), compressed);
  }

  private static void fail() {
    System.err.print(USAGE);
    System.exit(2);
  }

  private static Map<String, Reference> references(String file, String model) throws IOException {
    Map<String, Reference> found = new HashMap<>();
    if (file == null) {
      return found;
    }
    for (String line : Files.readAllLines(Path.of(file))) {
      String[] cells = line.split("\t");
      if (cells.length == 5 && cells[0].equals(model)) {
        found.put(
            cells[1],
            new Reference(
                Double.parseDouble(cells[2]),
                Double.parseDouble(cells[3]),
                Double.parseDouble(cells[4])));
      }
    }
    return found;
  }

  private void print(String filter, Map<String, Path> compressed)
      throws IOException, InterruptedException {
    System.out.println(
        "| scheme | perplexity | of the source's | KL | top-1 | reference: perplexity | KL | top-1"
            + " | our KL over its |");
    System.out.println("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    EvaluationReport source = Quern.evaluate(options(model), Progress.NONE);
    line("source", source.model().perplexity(), "", "0", "1.000");
    Path folder = Files.createTempDirectory("quern-quality");
    try {
      for (Way way : WAYS) {
        if (way.name().matches(".*(" + filter + ").*")) {
          line(way.name(), compress(way, folder.resolve(way.name().replace(' ', '-'))));
        }
      }
    } finally {
      delete(folder);
    }
    for (Map.Entry<String, Path> each : compressed.entrySet()) {
      line(each.getKey(), each.getValue());
    }
  }

  private Path compress(Way way, Path output) throws InterruptedException {
    CompressionOptions options = CompressionOptions.of(model, output, way.scheme());
    Quern.compress(
        way.observer().isEmpty() ? options : options.withWeightObserver(way.observer()),
        Progress.NONE);
    return output;
  }

  private EvaluationOptions options(Path folder) {
    return EvaluationOptions.of(folder, text).withWindow(window);
  }

  private void line(String name, Path folder) throws InterruptedException {
    EvaluationReport report = Quern.evaluate(options(folder).withAgainst(model), Progress.NONE);
    EvaluationReport.Comparison comparison = report.comparison().orElseThrow();
    Estimate ratio = comparison.perplexityRatio();
    line(
        name,
        report.model().perplexity(),
        signed(ratio.value() - 1, ratio.standardError().orElse(0)),
        number("%.5f", comparison.divergence().value())
            + number(" ± %.5f", comparison.divergence().standardError().orElse(0)),
        number("%.3f", comparison.topOne().value()),
        comparison.divergence().value());
  }

  private static String signed(double ratio, double error) {
    return number("%+.2f", 100 * ratio) + number(" ± %.2f %%", 100 * error);
  }

  private void line(String name, Estimate perplexity, String ratio, String kl, String top) {
    line(name, perplexity, ratio, kl, top, Double.NaN);
  }

  private void line(
      String name, Estimate perplexity, String ratio, String kl, String top, double divergence) {
    List<String> cells =
        new ArrayList<>(List.of(name, number("%.3f", perplexity.value()), ratio, kl, top));
    Reference other = references.get(name);
    if (other == null) {
      cells.addAll(List.of("", "", "", ""));
    } else {
      cells.add(number("%.3f", other.perplexity()));
      cells.add(number("%.5f", other.divergence()));
      cells.add(number("%.3f", other.topOne()));
      cells.add(Double.isNaN(divergence) ? "" : number("%.3f", divergence / other.divergence()));
    }
    System.out.println("| " + String.join(" | ", cells) + " |");
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      all.sorted(Comparator.reverseOrder())
          .forEach(
              path -> {
                try {
                  Files.delete(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }
}
