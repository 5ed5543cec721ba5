package dev.quern.bench;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.numeric.FloatType;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures the kernels and prints one table: rates of AVX-512 and AVX2 on one and two threads,
 * beside a plain copy of the same bytes.
 *
 * <p>Machines are noisy, and the more so the more they are shared. So everything is measured in
 * rounds; in a round each leg takes three kernels at a time, a copy right before them, and the next
 * leg follows with the same three. A share of the copy compares forks that ran within seconds of
 * each other; its median over the rounds is printed with its range. Of rates the best is printed.
 */
public final class BenchTable {
  private static final int GROUP = 3;

  private final BenchOptions options;
  private final List<Leg> legs;
  private final Measurements measurements = new Measurements();
  private final Map<Leg, ForkReport> reports = new LinkedHashMap<>();
  private final PrintStream progress;
  // Asked before the run, which is a load itself.
  private final Machine machine = Machine.current();

  private BenchTable(BenchOptions options, List<Leg> legs, PrintStream progress) {
    this.options = options;
    this.legs = legs;
    this.progress = progress;
  }

  /**
   * @param args see {@link BenchOptions#USAGE}
   */
  public static void main(String[] args) throws IOException {
    if (List.of(args).contains("--help") || List.of(args).contains("-h")) {
      System.out.print(BenchOptions.USAGE);
      return;
    }
    BenchOptions options;
    try {
      options = BenchOptions.parse(args);
    } catch (IllegalArgumentException e) {
      System.err.println("bench/run: " + e.getMessage() + "; bench/run --help lists the options.");
      System.exit(2);
      return;
    }
    List<Leg> legs =
        Leg.of(KernelChoice.current().vectorBits(), Machine.isX86(), options.threads());
    BenchTable table = new BenchTable(options, legs, System.err);
    try {
      table.measure();
    } catch (IllegalStateException e) {
      System.err.println("bench/run: " + e.getMessage());
      System.exit(1);
      return;
    }
    table.print(System.out, args);
  }

  private void measure() throws IOException {
    try (ForkRunner forks = new ForkRunner(options.quick())) {
      for (int round = 0; round < options.rounds(); round++) {
        for (FloatType type : options.types()) {
          List<Row> rows =
              Row.kernels(type, options.mebibytes() << 10).stream()
                  .filter(row -> options.filter().matcher(row.label()).find())
                  .toList();
          for (int begin = 0; begin < Math.max(1, rows.size()); begin += GROUP) {
            List<Row> group = rows.subList(begin, Math.min(rows.size(), begin + GROUP));
            for (Leg leg : legs) {
              measureGroup(forks, round, type, group, leg);
            }
          }
        }
      }
    }
  }

  private void measureGroup(ForkRunner forks, int round, FloatType type, List<Row> group, Leg leg)
      throws IOException {
    Row copyRow = Row.copy(type, options.mebibytes() << 10);
    double copy = forks.measure(copyRow, leg);
    reports.putIfAbsent(leg, forks.report());
    add(copyRow, leg, new Measurements.Sample(round, copy, copy));
    for (Row row : group) {
      add(row, leg, new Measurements.Sample(round, forks.measure(row, leg), copy));
    }
  }

  private void add(Row row, Leg leg, Measurements.Sample sample) {
    measurements.add(row, leg, sample);
    progress.printf(
        Locale.ROOT,
        "round %d of %d, %s: %s %.2f GB/s%n",
        sample.round() + 1,
        options.rounds(),
        leg.title(),
        row.label(),
        sample.gigabytesPerSecond());
  }

  private void print(PrintStream out, String[] args) throws IOException {
    String date = LocalDate.now(ZoneOffset.UTC).toString();
    ForkReport first = reports.get(legs.getFirst());
    TableText text = new TableText(measurements, legs);
    out.printf(
        Locale.ROOT,
        "%s, %d cores, last cache %s, %s, load %.1f before the run%n",
        machine.cpu(),
        machine.cores(),
        machine.lastCache(),
        machine.system(),
        machine.load());
    out.printf(Locale.ROOT, "%s; %s; bench/run %s%n", first.jdk(), date, String.join(" ", args));
    out.printf(Locale.ROOT, "every fork: java %s%n", String.join(" ", ForkRunner.JVM_ARGS));
    reports.forEach(
        (leg, report) ->
            out.printf(
                Locale.ROOT,
                "%s: %s%s, %d bits%n",
                leg.title(),
                leg.jvmArgs().isEmpty() ? "" : String.join(" ", leg.jvmArgs()) + ", ",
                report.provider(),
                report.vectorBits()));
    if (legs.stream().noneMatch(leg -> leg.set().equals("AVX-512"))) {
      out.println("No AVX-512 columns: " + first.reason() + ".");
    }
    int cores = machine.cores();
    if (legs.stream().anyMatch(leg -> leg.threads() > cores)) {
      out.println("Columns with more threads than cores (" + cores + ") share them.");
    }
    out.printf(
        Locale.ROOT,
        "rounds: %d%s; matrix of each thread: %d MiB; results compared with the scalar law%n%n",
        options.rounds(),
        options.quick() ? ", quick" : "",
        options.mebibytes());
    out.print(text.table());
    out.println();
    out.print(text.limits());
    if (options.json().isPresent()) {
      List<ForkReport> inOrder = new ArrayList<>();
      legs.forEach(leg -> inOrder.add(reports.get(leg)));
      String json = TableJson.of(machine, date, options, legs, inOrder, measurements);
      Files.writeString(options.json().get(), json, StandardCharsets.UTF_8);
    }
  }
}
