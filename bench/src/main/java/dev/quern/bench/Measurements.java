package dev.quern.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All that was measured, in the order of measuring. */
final class Measurements {
  /**
   * One fork.
   *
   * @param round number of the round, from 0
   * @param gigabytesPerSecond weights per second, all threads together
   * @param copy the rate of the plain copy right before; for the copy itself the same
   */
  record Sample(int round, double gigabytesPerSecond, double copy) {
    double shareOfCopy() {
      return gigabytesPerSecond / copy;
    }
  }

  private record Cell(Row row, Leg leg) {}

  private final Map<Cell, List<Sample>> cells = new LinkedHashMap<>();

  void add(Row row, Leg leg, Sample sample) {
    cells.computeIfAbsent(new Cell(row, leg), _ -> new ArrayList<>()).add(sample);
  }

  /** The samples of a cell; empty when it was not measured. */
  List<Sample> of(Row row, Leg leg) {
    return List.copyOf(cells.getOrDefault(new Cell(row, leg), List.of()));
  }

  /** The rows that were measured, each once. */
  List<Row> rows() {
    return cells.keySet().stream().map(Cell::row).distinct().toList();
  }

  /** The best rate of a cell: what disturbed it can only have made it slower. */
  double best(Row row, Leg leg) {
    return of(row, leg).stream().mapToDouble(Sample::gigabytesPerSecond).max().orElse(Double.NaN);
  }

  /** Shares of the copy, sorted. */
  double[] shares(Row row, Leg leg) {
    return of(row, leg).stream().mapToDouble(Sample::shareOfCopy).sorted().toArray();
  }

  /** Rates, sorted. */
  double[] rates(Row row, Leg leg) {
    return of(row, leg).stream().mapToDouble(Sample::gigabytesPerSecond).sorted().toArray();
  }

  /** For each round, the rate of a leg over that of another in the same round, sorted. */
  double[] ratios(Row row, Leg leg, Leg other) {
    Map<Integer, Double> others = new LinkedHashMap<>();
    for (Sample sample : of(row, other)) {
      others.merge(sample.round(), sample.gigabytesPerSecond(), Math::max);
    }
    Map<Integer, Double> own = new LinkedHashMap<>();
    for (Sample sample : of(row, leg)) {
      own.merge(sample.round(), sample.gigabytesPerSecond(), Math::max);
    }
    return own.entrySet().stream()
        .filter(entry -> others.containsKey(entry.getKey()))
        .mapToDouble(entry -> entry.getValue() / others.get(entry.getKey()))
        .sorted()
        .toArray();
  }

  /** The middle of sorted values, NaN when there are none. */
  static double median(double[] sorted) {
    int n = sorted.length;
    return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }
}
