package dev.quern.pipeline.report;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;

/**
 * {@code report.html}: one file without scripts, fonts or images from elsewhere, for light and dark
 * screens and for telephones. It is XHTML, so that a strict parser can read it.
 */
public final class HtmlReport {
  /** Name of the file in the output. */
  public static final String FILE = "report.html";

  /** Shades of the table of layers. */
  private static final int SHADES = 7;

  /** Layers that the table shows; a deeper model shows them in {@code report.json}. */
  private static final int LAYERS = 200;

  private final Report report;
  private final HtmlWriter out = new HtmlWriter();

  private HtmlReport(Report report) {
    this.report = report;
  }

  /** The whole document. */
  public static String of(Report report) {
    return new HtmlReport(report).document();
  }

  private String document() {
    out.raw("<!DOCTYPE html>\n");
    out.open("html", "lang", "en", "xmlns", "http://www.w3.org/1999/xhtml").open("head");
    out.empty("meta", "charset", "utf-8");
    out.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    out.empty("meta", "name", "color-scheme", "content", "light dark");
    out.element("title", title() + ": compression report");
    out.open("style").raw(HtmlStyle.TEXT).close().close();
    out.open("body").open("main");
    header();
    warnings();
    kinds();
    layers();
    worst();
    kept();
    recipe();
    out.open("footer")
        .text("Written by Quern " + report.quern() + ". The same figures for machines: ")
        .element("a", "report.json", "href", "report.json")
        .text(". Nothing here depends on the machine or the time of the run.")
        .close();
    out.close().close().close();
    return out.toString();
  }

  private String title() {
    return report.model() + " · " + String.join(" + ", report.schemes().keySet());
  }

  private void header() {
    Deviation whole = report.whole();
    out.open("header");
    out.element("p", "Compression report", "class", "eyebrow");
    out.element("h1", report.model());
    out.open("p", "class", "schemes");
    for (Map.Entry<String, Long> scheme : report.schemes().entrySet()) {
      out.open("span", "class", "chip")
          .element("b", scheme.getKey())
          .text(" " + count(scheme.getValue(), "module"))
          .close();
    }
    out.close();
    out.open("dl", "class", "figures");
    double ratio = (double) report.bytesBefore() / Math.max(1, report.bytesAfter());
    figure("Size", size(report.bytesAfter()), "from " + size(report.bytesBefore()));
    figure("Ratio", format("%.2f : 1", ratio), "all tensors");
    figure("Signal to noise", db(whole.signalToNoiseDb()), "of quantized weights");
    figure(
        "Mean error",
        percent(whole.meanRelativeError()),
        "worst " + percent(whole.worst()) + " of range");
    out.close();
    long kept =
        report.kept().stream()
            .filter(k -> !k.fate().equals("drop"))
            .mapToLong(KeptTensors::bytes)
            .sum();
    bar("before", report.bytesBefore(), report.bytesBefore(), 0);
    bar("after", report.bytesAfter(), report.bytesBefore(), kept);
    if (!report.notes().isEmpty()) {
      list("notes", report.notes());
    }
    out.close();
  }

  private void figure(String name, String value, String rest) {
    out.open("div")
        .element("dt", name)
        .element("dd", value, "class", "value")
        .element("dd", rest, "class", "rest")
        .close();
  }

  /** A bar of the whole width for {@code all}; what was kept is drawn lighter. */
  private void bar(String name, long bytes, long all, long kept) {
    double width = 100.0 * bytes / Math.max(1, all);
    double keptWidth = 100.0 * kept / Math.max(1, all);
    String words =
        name + ": " + size(bytes) + (kept > 0 ? ", of which " + size(kept) + " not quantized" : "");
    out.open("div", "class", "bar");
    out.element("span", name, "class", "barname");
    out.open(
        "svg",
        "xmlns",
        "http://www.w3.org/2000/svg",
        "role",
        "img",
        "aria-label",
        words,
        "viewBox",
        "0 0 100 6",
        "preserveAspectRatio",
        "none");
    out.empty(
        "rect", "x", "0", "y", "0", "height", "6", "class", "full", "width", format("%.2f", width));
    if (kept > 0) {
      out.empty(
          "rect",
          "x",
          format("%.2f", Math.max(0, width - keptWidth)),
          "y",
          "0",
          "height",
          "6",
          "class",
          "kept",
          "width",
          format("%.2f", keptWidth));
    }
    out.close();
    out.element("span", words.substring(name.length() + 2), "class", "barvalue").close();
  }

  private void warnings() {
    if (report.warnings().isEmpty()) {
      return;
    }
    section("Warnings", "Read these before you publish the model.");
    list("warnings", report.warnings());
    out.close();
  }

  private void list(String kind, List<String> lines) {
    out.open("ul", "class", kind);
    for (String line : lines) {
      out.element("li", line);
    }
    out.close();
  }

  private void kinds() {
    section(
        "Kinds of layers",
        "Errors are those of the weights that a reader gets, against the source.");
    table("Kind", "Modules", "Weights", "Size", "Mean error", "Worst of range", "SNR");
    for (Map.Entry<String, Report.Cell> kind : report.kinds().entrySet()) {
      Report.Cell cell = kind.getValue();
      Deviation deviation = cell.deviation();
      row(
          kind.getKey(),
          format("%,d", cell.modules()),
          format("%,d", deviation.weights()),
          size(cell.bytesAfter()),
          percent(deviation.meanRelativeError()),
          percent(deviation.worstRelativeError()),
          db(deviation.signalToNoiseDb()));
    }
    out.close().close().close().close();
  }

  private void layers() {
    SortedMap<Integer, Map<String, Report.Cell>> layers = report.layers();
    if (layers.size() < 2) {
      return;
    }
    section(
        "Layer by layer",
        "Mean relative error in percent; the darker, the larger within the whole model."
            + (layers.size() > LAYERS
                ? " The first " + LAYERS + " of " + layers.size() + "."
                : ""));
    double least = Double.MAX_VALUE;
    double most = 0;
    for (Map<String, Report.Cell> kinds : layers.values()) {
      for (Report.Cell cell : kinds.values()) {
        least = Math.min(least, cell.deviation().meanRelativeError());
        most = Math.max(most, cell.deviation().meanRelativeError());
      }
    }
    List<String> kinds = List.copyOf(report.kinds().keySet());
    out.open(
        "div",
        "class",
        "scroll",
        "tabindex",
        "0",
        "role",
        "region",
        "aria-label",
        "Error by layer and kind");
    out.open("table", "class", "heat").open("thead").open("tr");
    out.element("th", "Layer", "scope", "col");
    for (String kind : kinds) {
      out.element("th", kind, "scope", "col");
    }
    out.close().close().open("tbody");
    int shown = 0;
    for (Map.Entry<Integer, Map<String, Report.Cell>> layer : layers.entrySet()) {
      if (shown++ >= LAYERS) {
        break;
      }
      out.open("tr");
      out.element("th", layer.getKey() < 0 ? "–" : layer.getKey().toString(), "scope", "row");
      for (String kind : kinds) {
        Report.Cell cell = layer.getValue().get(kind);
        if (cell == null) {
          out.element("td", "");
        } else {
          double error = cell.deviation().meanRelativeError();
          int shade =
              most > least
                  ? (int) Math.min(SHADES - 1.0, (error - least) / (most - least) * SHADES)
                  : 0;
          out.element("td", format("%.2f", 100 * error), "class", "s" + shade);
        }
      }
      out.close();
    }
    out.close().close().close().close();
  }

  private void worst() {
    if (report.modules().size() < 2) {
      return;
    }
    section(
        "Modules with the largest errors",
        "Candidates for --ignore, or for a scheme with more bits.");
    boolean solved = report.worst().stream().anyMatch(module -> !module.facts().isEmpty());
    if (solved) {
      table("Module", "Scheme", "Mean error", "Worst of range", "SNR", "Solver");
    } else {
      table("Module", "Scheme", "Mean error", "Worst of range", "SNR");
    }
    for (ModuleResult module : report.worst()) {
      Deviation deviation = module.deviation();
      String mean = percent(deviation.meanRelativeError());
      String worst = percent(deviation.worstRelativeError());
      String snr = db(deviation.signalToNoiseDb());
      if (solved) {
        row(module.name(), module.scheme(), mean, worst, snr, facts(module));
      } else {
        row(module.name(), module.scheme(), mean, worst, snr);
      }
    }
    out.close().close().close().close();
  }

  private static String facts(ModuleResult module) {
    StringBuilder text = new StringBuilder();
    for (ModuleResult.Fact fact : module.facts()) {
      text.append(text.isEmpty() ? "" : ", ")
          .append(fact.name().replace('_', ' '))
          .append(format(" %.4g", fact.value()));
    }
    return text.toString();
  }

  private void kept() {
    if (report.kept().isEmpty()) {
      return;
    }
    section("Everything else", "Tensors that were not quantized, by reason.");
    table("Reason", "Fate", "Tensors", "Size", "For example");
    for (KeptTensors kept : report.kept()) {
      row(
          kept.reason(),
          kept.fate(),
          format("%,d", kept.tensors()),
          size(kept.bytes()),
          kept.example());
    }
    out.close().close().close().close();
  }

  private void recipe() {
    out.open("section").open("details");
    out.element("summary", "The recipe that makes the same files again");
    out.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", "Recipe");
    out.element("pre", report.recipe()).close().close().close();
  }

  private void section(String heading, String sentence) {
    out.open("section").element("h2", heading).element("p", sentence, "class", "hint");
  }

  /** Opens a table in a box that scrolls by itself, and its body. */
  private void table(String... columns) {
    out.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", columns[0]);
    out.open("table").open("thead").open("tr");
    for (String column : columns) {
      out.element("th", column, "scope", "col");
    }
    out.close().close().open("tbody");
  }

  private void row(String name, String... values) {
    out.open("tr").element("th", name, "scope", "row");
    for (String value : values) {
      out.element("td", value);
    }
    out.close();
  }

  private static String count(long number, String noun) {
    return format("%,d ", number) + noun + (number == 1 ? "" : "s");
  }

  private static String percent(double value) {
    return format("%.3f %%", 100 * value);
  }

  private static String db(double value) {
    return Double.isNaN(value)
        ? "n/a"
        : Double.isInfinite(value) ? "exact" : format("%.1f dB", value);
  }

  private static String size(long bytes) {
    String[] units = {"B", "KB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return unit == 0 ? bytes + " B" : format("%.2f ", value) + units[unit];
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
