package dev.quern.bench;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;

/** Every measurement with what it must be told with, for machines. */
final class TableJson {
  private TableJson() {}

  static String of(
      Machine machine,
      String date,
      BenchOptions options,
      List<Leg> legs,
      List<ForkReport> reports,
      Measurements measurements) {
    List<Json> columns = new ArrayList<>();
    for (int i = 0; i < legs.size(); i++) {
      columns.add(column(legs.get(i), reports.get(i)));
    }
    List<Json> samples = new ArrayList<>();
    for (Row row : measurements.rows()) {
      for (Leg leg : legs) {
        measurements.of(row, leg).forEach(sample -> samples.add(sample(row, leg, sample)));
      }
    }
    Json document =
        Json.Obj.empty()
            .with("cpu", Json.of(machine.cpu()))
            .with("cores", Json.of(machine.cores()))
            .with("last_cache", Json.of(machine.lastCache()))
            .with("system", Json.of(machine.system()))
            .with("load_before", Json.of(machine.load()))
            .with("date", Json.of(date))
            .with("rounds", Json.of(options.rounds()))
            .with("quick", Json.of(options.quick()))
            .with("jvm_args", strings(ForkRunner.JVM_ARGS))
            .with("legs", Json.of(columns))
            .with("samples", Json.of(samples));
    return JsonWriter.pretty(document) + "\n";
  }

  private static Json column(Leg leg, ForkReport report) {
    return Json.Obj.empty()
        .with("title", Json.of(leg.title()))
        .with("threads", Json.of(leg.threads()))
        .with("jvm_args", strings(leg.jvmArgs()))
        .with("provider", Json.of(report.provider()))
        .with("vector_bits", Json.of(report.vectorBits()))
        .with("reason", Json.of(report.reason()))
        .with("jdk", Json.of(report.jdk()));
  }

  private static Json sample(Row row, Leg leg, Measurements.Sample sample) {
    return Json.Obj.empty()
        .with("row", Json.of(row.label()))
        .with("leg", Json.of(leg.title()))
        .with("kibibytes", Json.of(row.kibibytes()))
        .with("round", Json.of(sample.round()))
        .with("gigabytes_per_second", Json.of(sample.gigabytesPerSecond()))
        .with("copy_gigabytes_per_second", Json.of(sample.copy()));
  }

  private static Json strings(List<String> texts) {
    return Json.of(texts.stream().map(Json::of).toList());
  }
}
