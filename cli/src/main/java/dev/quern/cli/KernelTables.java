package dev.quern.cli;

import dev.quern.pipeline.KernelPlan;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** What {@code quern plan} prints for people. */
final class KernelTables {
  private KernelTables() {}

  /** A table, and below it each remark once for the targets that it is about. */
  static String plan(KernelPlan plan) {
    TextTable table =
        new TextTable(
            "target",
            "layers",
            " count",
            " rows",
            " columns",
            "kernel",
            "mode",
            " bytes",
            " max TP");
    Map<String, Set<String>> remarks = new LinkedHashMap<>();
    for (KernelPlan.Row row : plan.rows()) {
      String names =
          String.join(" ", row.names().stream().map(KernelTables::last).distinct().toList());
      table.row(
          row.target(),
          names,
          Integer.toString(row.count()),
          Long.toString(row.layerRows()),
          Long.toString(row.layerColumns()),
          row.kernel(),
          row.fails() ? row.mode() + ", fails" : row.mode(),
          ByteSize.format(row.residentBytes()),
          Integer.toString(row.maxTensorParallel()));
      for (String remark : row.remarks()) {
        remarks
            .computeIfAbsent(row.target() + ": " + remark, _ -> new LinkedHashSet<>())
            .add(names);
      }
    }
    StringBuilder out = new StringBuilder(table.toString()).append('\n');
    remarks.forEach(
        (remark, layers) ->
            out.append(TextTable.printable(remark + " [" + String.join(", ", layers) + "]"))
                .append('\n'));
    return out.append(TextTable.printable(plan.scheme() + " by " + plan.engine()))
        .append('\n')
        .toString();
  }

  private static String last(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }
}
