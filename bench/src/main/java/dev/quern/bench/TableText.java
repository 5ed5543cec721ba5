package dev.quern.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The table for people: Markdown that reads well unrendered. */
final class TableText {
  private final Measurements measurements;
  private final List<Leg> legs;

  TableText(Measurements measurements, List<Leg> legs) {
    this.measurements = measurements;
    this.legs = legs;
  }

  String table() {
    List<List<String>> lines = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("GB/s of weights (share of copy)"));
    legs.forEach(leg -> head.add(leg.title()));
    for (Leg leg : legs) {
      wider(leg).ifPresent(wide -> head.add(leg.set() + " / " + wide.title()));
    }
    lines.add(head);
    for (Row row : measurements.rows()) {
      List<String> line = new ArrayList<>(List.of(row.label()));
      legs.forEach(leg -> line.add(cell(row, leg)));
      for (Leg leg : legs) {
        wider(leg).ifPresent(wide -> line.add(ratio(measurements.ratios(row, leg, wide))));
      }
      lines.add(line);
    }
    return align(lines);
  }

  /** The leg of wider vectors with as many threads. */
  private Optional<Leg> wider(Leg leg) {
    return legs.stream()
        .filter(other -> other.threads() == leg.threads())
        .filter(other -> other.vectorBits() > leg.vectorBits())
        .findFirst();
  }

  private String cell(Row row, Leg leg) {
    double[] rates = measurements.rates(row, leg);
    if (rates.length == 0) {
      return "";
    }
    String best = number(rates[rates.length - 1]);
    return row.equals(Row.copy(row.type(), row.kibibytes()))
        ? best + " (" + number(rates[0]) + " at worst)"
        : best + " (" + ratio(measurements.shares(row, leg)) + ")";
  }

  private static String ratio(double[] sorted) {
    if (sorted.length == 0) {
      return "";
    }
    String median = String.format(Locale.ROOT, "%.2f", Measurements.median(sorted));
    return sorted.length == 1
        ? median
        : median
            + String.format(Locale.ROOT, ", %.2f to %.2f", sorted[0], sorted[sorted.length - 1]);
  }

  /** Which limit holds for channel quantization: a sentence for each type and leg. */
  String limits() {
    StringBuilder text = new StringBuilder();
    for (Row row : measurements.rows()) {
      if (row.equals(Row.channel(row.type(), row.kibibytes()))) {
        for (Leg leg : legs) {
          text.append(limit(row, leg));
        }
      }
    }
    return text.toString();
  }

  private String limit(Row row, Leg leg) {
    List<Measurements.Sample> fromMemory = measurements.of(row, leg);
    List<Measurements.Sample> inCache = measurements.of(Row.inCache(row.type()), leg);
    int rounds = Math.min(fromMemory.size(), inCache.size());
    if (rounds == 0) {
      return "";
    }
    double[] reached = new double[rounds];
    double[] computing = new double[rounds];
    double[] copying = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      computing[i] = inCache.get(i).gigabytesPerSecond();
      copying[i] = fromMemory.get(i).copy();
      reached[i] = fromMemory.get(i).gigabytesPerSecond() / Math.min(computing[i], copying[i]);
    }
    double computes = sortedMedian(computing);
    double copies = sortedMedian(copying);
    return String.format(
        Locale.ROOT,
        "%s, %s: computing alone runs at %s GB/s, copying alone at %s; so %s binds, and %.2f of"
            + " that limit is reached.%n",
        row.label(),
        leg.title(),
        number(computes),
        number(copies),
        computes < copies ? "computing" : "memory",
        sortedMedian(reached));
  }

  private static double sortedMedian(double[] values) {
    Arrays.sort(values);
    return Measurements.median(values);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.1f", value);
  }

  private static String align(List<List<String>> lines) {
    int columns = lines.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> line : lines) {
      for (int c = 0; c < columns; c++) {
        widths[c] = Math.max(widths[c], line.get(c).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (int l = 0; l < lines.size(); l++) {
      for (int c = 0; c < columns; c++) {
        String cell = lines.get(l).get(c);
        String space = " ".repeat(widths[c] - cell.length());
        text.append("| ").append(c == 0 ? cell + space : space + cell).append(' ');
      }
      text.append("|\n");
      if (l == 0) {
        for (int c = 0; c < columns; c++) {
          text.append('|').append("-".repeat(widths[c] + 1)).append(c == 0 ? '-' : ':');
        }
        text.append("|\n");
      }
    }
    return text.toString();
  }
}
