package dev.quern.cli;

import dev.quern.pipeline.CompressionPlan;
import dev.quern.pipeline.CompressionReport;
import dev.quern.pipeline.DecompressionPlan;
import dev.quern.pipeline.DecompressionReport;
import dev.quern.pipeline.Diagnosis;
import dev.quern.pipeline.DroppedTensor;
import dev.quern.pipeline.ErrorStatistics;
import dev.quern.pipeline.Inspection;
import dev.quern.pipeline.PackReport;
import dev.quern.pipeline.TensorPlan;
import dev.quern.pipeline.VerificationReport;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What commands print for people. */
final class Tables {
  private Tables() {}

  static String plan(CompressionPlan plan) {
    StringBuilder out = new StringBuilder(tensors(plan.tensors(), plan.dropped())).append('\n');
    plan.warnings().forEach(warning -> out.append("warning: ").append(warning).append('\n'));
    plan.otherFiles().forEach(file -> out.append("copied file: ").append(file).append('\n'));
    plan.leftOutLines().forEach(file -> out.append("not copied: ").append(file).append('\n'));
    out.append(
        line(
            "%s: %d of %d tensors are quantized, %s become %s (%.2f : 1) in %d file%s; ignore %s%n",
            plan.schemeName(),
            plan.quantizedTensors(),
            plan.tensors().size(),
            ByteSize.format(plan.bytesBefore()),
            ByteSize.format(plan.bytesAfter()),
            (double) plan.bytesBefore() / Math.max(1, plan.bytesAfter()),
            plan.shardCount(),
            plan.shardCount() == 1 ? "" : "s",
            plan.ignored()));
    out.append("Nothing was written: this was a dry run.\n");
    return out.toString();
  }

  static String plan(DecompressionPlan plan) {
    StringBuilder out = new StringBuilder(tensors(plan.tensors(), plan.dropped())).append('\n');
    plan.warnings().forEach(warning -> out.append("warning: ").append(warning).append('\n'));
    plan.otherFiles().forEach(file -> out.append("copied file: ").append(file).append('\n'));
    plan.leftOutLines().forEach(file -> out.append("not copied: ").append(file).append('\n'));
    out.append(
        line(
            "%s: %d of %d tensors are dequantized to %s, %s become %s in %d file%s%n",
            plan.quantization(),
            plan.dequantizedTensors(),
            plan.tensors().size(),
            plan.dtype(),
            ByteSize.format(plan.bytesBefore()),
            ByteSize.format(plan.bytesAfter()),
            plan.shardCount(),
            plan.shardCount() == 1 ? "" : "s"));
    out.append("Nothing was written: this was a dry run.\n");
    return out.toString();
  }

  private static String tensors(List<TensorPlan> tensors, List<DroppedTensor> dropped) {
    TextTable table =
        new TextTable("tensor", "shape", "dtype", "fate", "reason", " before", " after");
    for (TensorPlan tensor : tensors) {
      table.row(
          tensor.name(),
          tensor.shape().toString(),
          tensor.dtype(),
          tensor.fate(),
          tensor.reason(),
          ByteSize.format(tensor.bytesBefore()),
          ByteSize.format(tensor.bytesAfter()));
    }
    for (DroppedTensor tensor : dropped) {
      table.row(
          tensor.name(),
          tensor.shape().toString(),
          tensor.dtype(),
          "drop",
          tensor.reason(),
          ByteSize.format(tensor.bytes()),
          ByteSize.format(0));
    }
    return table.toString();
  }

  static String report(DecompressionReport report) {
    double seconds = (report.decompressNanos() + report.verifyNanos()) / 1e9;
    return line(
            "%s: %s -> %s, %d of %d tensors dequantized to %s; decompressed in %.2f s, verified in"
                + " %.2f s, %s/s%n",
            report.plan().quantization(),
            ByteSize.format(report.plan().bytesBefore()),
            ByteSize.format(report.plan().bytesAfter()),
            report.plan().dequantizedTensors(),
            report.plan().tensors().size(),
            report.plan().dtype(),
            report.decompressNanos() / 1e9,
            report.verifyNanos() / 1e9,
            ByteSize.format((long) (report.plan().bytesAfter() / seconds)))
        + report.output()
        + "\n";
  }

  static String report(CompressionReport report) {
    double seconds = (report.compressNanos() + report.verifyNanos()) / 1e9;
    return errors(report.errors())
        + line(
            "%s: %s -> %s (%.2f : 1), %d of %d tensors quantized; compressed in %.2f s, verified in"
                + " %.2f s, %s/s%n",
            report.plan().schemeName(),
            ByteSize.format(report.plan().bytesBefore()),
            ByteSize.format(report.plan().bytesAfter()),
            report.ratio(),
            report.plan().quantizedTensors(),
            report.plan().tensors().size(),
            report.compressNanos() / 1e9,
            report.verifyNanos() / 1e9,
            ByteSize.format((long) (report.plan().bytesBefore() / seconds)))
        + report.output()
        + "\n";
  }

  static String report(PackReport report) {
    StringBuilder out = new StringBuilder();
    report
        .kept()
        .forEach(
            (module, reason) ->
                out.append("not packed: ")
                    .append(TextTable.printable(module + ": " + reason))
                    .append('\n'));
    report
        .modules()
        .forEach((layout, count) -> out.append(line("%s: %d modules%n", layout, count)));
    return out.append(
            line(
                "%s -> %s in %.2f s%n",
                ByteSize.format(report.bytesBefore()),
                ByteSize.format(report.bytesAfter()),
                report.nanos() / 1e9))
        .append(report.output())
        .append('\n')
        .toString();
  }

  static String verification(VerificationReport report) {
    StringBuilder out = new StringBuilder(errors(report.errors()));
    for (String problem : report.problems()) {
      out.append("problem: ").append(TextTable.printable(problem)).append('\n');
    }
    return out.append(
            line(
                "%s: %d tensors, %d quantized modules, %s%n",
                report.model(), report.tensors(), report.quantizedModules(), outcome(report)))
        .toString();
  }

  private static String outcome(VerificationReport report) {
    if (!report.ok()) {
      return report.problems().size() + (report.problems().size() == 1 ? " problem" : " problems");
    }
    return report.quantizedModules() == 0 ? "not compressed, nothing to check" : "nothing wrong";
  }

  static String inspection(Inspection inspection) {
    TextTable table = new TextTable("tensor", "shape", "dtype", "what", "file", " bytes");
    for (Inspection.Tensor tensor : inspection.tensors()) {
      table.row(
          tensor.name(),
          tensor.shape().toString(),
          tensor.dtype(),
          tensor.role(),
          tensor.file(),
          ByteSize.format(tensor.bytes()));
    }
    return table
        + "\n"
        + line(
            "%s: %s, %d tensors, %.4g elements, %s%nquantization: %s%nother files: %s%n",
            inspection.model(),
            inspection.architecture(),
            inspection.tensors().size(),
            (double) inspection.elements(),
            ByteSize.format(inspection.bytes()),
            inspection.quantization(),
            String.join(", ", inspection.otherFiles()));
  }

  static String diagnosis(Diagnosis diagnosis) {
    String without =
        diagnosis.vectorBits() == 0
            ? ""
            : line(
                "without     without vectors it would be %.2f GB/s, %.0f times less, for the same"
                    + " bytes%n",
                diagnosis.scalarRate() / 1e9, diagnosis.rate() / diagnosis.scalarRate());
    return line(
            "kernels     %s: %s%n"
                + "JDK         %s%n"
                + "processors  %d%n"
                + "heap        at most %s; weights live outside of it%n"
                + "speed       bf16 to FP8 on one thread, data in cache: %.2f GB/s of source%n",
            diagnosis.provider(),
            diagnosis.reason(),
            diagnosis.jdk(),
            diagnosis.processors(),
            ByteSize.format(diagnosis.heapBytes()),
            diagnosis.rate() / 1e9)
        + without;
  }

  private static String errors(Map<String, ErrorStatistics> errors) {
    if (errors.isEmpty()) {
      return "";
    }
    TextTable table = new TextTable("layer kind", " weights", " mean rel. error", " worst", " SNR");
    errors.forEach(
        (kind, e) ->
            table.row(
                kind,
                line("%,d", e.elements()),
                line("%.3f %%", 100 * e.meanRelativeError()),
                line("%.3f %%", 100 * e.worstRelativeError()),
                signalToNoise(e.signalToNoiseDb())));
    return table + "\n";
  }

  private static String signalToNoise(double db) {
    if (Double.isNaN(db)) {
      return "n/a";
    }
    return Double.isInfinite(db) ? "exact" : line("%.1f dB", db);
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
