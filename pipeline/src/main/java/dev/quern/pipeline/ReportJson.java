package dev.quern.pipeline;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Plans and reports as JSON documents, for machines; names sorted, a newline at the end. */
final class ReportJson {
  private ReportJson() {}

  static String of(CompressionPlan plan) {
    return print(
        plan(plan)
            .with("tensors", Json.of(plan.tensors().stream().map(ReportJson::tensor).toList())));
  }

  static String of(CompressionReport report) {
    return print(
        plan(report.plan())
            .with("compress_seconds", Json.of(report.compressNanos() / 1e9))
            .with("errors", errors(report.errors()))
            .with("output", Json.of(report.output().toString()))
            .with("ratio", Json.of(report.ratio()))
            .with("verify_seconds", Json.of(report.verifyNanos() / 1e9)));
  }

  static String of(DecompressionPlan plan) {
    return print(
        plan(plan)
            .with("tensors", Json.of(plan.tensors().stream().map(ReportJson::tensor).toList())));
  }

  static String of(DecompressionReport report) {
    return print(
        plan(report.plan())
            .with("decompress_seconds", Json.of(report.decompressNanos() / 1e9))
            .with("output", Json.of(report.output().toString()))
            .with("verify_seconds", Json.of(report.verifyNanos() / 1e9)));
  }

  static String of(VerificationReport report) {
    return print(
        Json.Obj.empty()
            .with("errors", errors(report.errors()))
            .with("model", Json.of(report.model().toString()))
            .with("ok", Json.of(report.ok()))
            .with("problems", strings(report.problems()))
            .with("quantized_modules", Json.of(report.quantizedModules()))
            .with("tensors", Json.of(report.tensors())));
  }

  static String of(Inspection inspection) {
    List<Json> tensors = new ArrayList<>();
    for (Inspection.Tensor tensor : inspection.tensors()) {
      tensors.add(
          Json.Obj.empty()
              .with("bytes", Json.of(tensor.info().bytes()))
              .with("dtype", Json.of(tensor.info().dtype().name()))
              .with("file", Json.of(tensor.file()))
              .with("name", Json.of(tensor.info().name()))
              .with("role", Json.of(tensor.role()))
              .with("shape", shape(tensor.info().shape())));
    }
    return print(
        Json.Obj.empty()
            .with("architecture", Json.of(inspection.architecture()))
            .with("bytes", Json.of(inspection.bytes()))
            .with("elements", Json.of(inspection.elements()))
            .with("model", Json.of(inspection.model().toString()))
            .with("other_files", strings(inspection.otherFiles()))
            .with("quantization", Json.of(inspection.quantization()))
            .with("tensors", Json.of(tensors)));
  }

  static String of(Diagnosis diagnosis) {
    return print(
        Json.Obj.empty()
            .with("heap_bytes", Json.of(diagnosis.heapBytes()))
            .with("jdk", Json.of(diagnosis.jdk()))
            .with("processors", Json.of(diagnosis.processors()))
            .with("provider", Json.of(diagnosis.provider()))
            .with("rate_bytes_per_second", Json.of(diagnosis.rate()))
            .with("reason", Json.of(diagnosis.reason()))
            .with("scalar_rate_bytes_per_second", Json.of(diagnosis.scalarRate()))
            .with("vector_bits", Json.of(diagnosis.vectorBits())));
  }

  private static Json.Obj plan(CompressionPlan plan) {
    return Json.Obj.empty()
        .with("bytes_after", Json.of(plan.bytesAfter()))
        .with("bytes_before", Json.of(plan.bytesBefore()))
        .with("copied_files", strings(plan.otherFiles()))
        .with("dropped_tensors", dropped(plan.dropped()))
        .with("model", Json.of(plan.options().model().toString()))
        .with("quantization_config", plan.quantizationConfig().toJson())
        .with("quantized_tensors", Json.of(plan.quantizedTensors()))
        .with("scheme", Json.of(plan.schemeName()))
        .with("shards", strings(plan.shards().shards().stream().map(s -> s.fileName()).toList()))
        .with("warnings", strings(plan.warnings()));
  }

  private static Json.Obj plan(DecompressionPlan plan) {
    return Json.Obj.empty()
        .with("bytes_after", Json.of(plan.bytesAfter()))
        .with("bytes_before", Json.of(plan.bytesBefore()))
        .with("copied_files", strings(plan.otherFiles()))
        .with("dequantized_tensors", Json.of(plan.dequantizedTensors()))
        .with("dropped_tensors", dropped(plan.dropped()))
        .with("dtype", Json.of(plan.type().dtype().name()))
        .with("model", Json.of(plan.options().model().toString()))
        .with("quantization", Json.of(plan.quantization()))
        .with("shards", strings(plan.shards().shards().stream().map(s -> s.fileName()).toList()))
        .with("warnings", strings(plan.warnings()));
  }

  private static Json dropped(List<DroppedTensor> tensors) {
    List<Json> all = new ArrayList<>();
    for (DroppedTensor tensor : tensors) {
      all.add(
          Json.Obj.empty()
              .with("name", Json.of(tensor.name()))
              .with("reason", Json.of(tensor.reason())));
    }
    return Json.of(all);
  }

  private static Json sources(TensorPlan tensor) {
    List<Json> all = new ArrayList<>();
    for (SourcePart part : tensor.parts()) {
      all.add(
          Json.Obj.empty()
              .with("bytes", Json.of(part.bytes()))
              .with("dtype", Json.of(part.tensor().dtype().name()))
              .with("file", Json.of(part.file()))
              .with("name", Json.of(part.tensor().name()))
              .with("shape", shape(part.tensor().shape())));
    }
    return Json.of(all);
  }

  private static Json tensor(TensorPlan tensor) {
    List<Json> outputs = new ArrayList<>();
    tensor
        .outputs()
        .forEach(
            output ->
                outputs.add(
                    Json.Obj.empty()
                        .with("dtype", Json.of(output.dtype().name()))
                        .with("name", Json.of(output.name()))
                        .with("shape", shape(output.shape()))));
    return Json.Obj.empty()
        .with("bytes_after", Json.of(tensor.bytesAfter()))
        .with("bytes_before", Json.of(tensor.bytesBefore()))
        .with("dtype", Json.of(tensor.source().dtype().name()))
        .with("fate", Json.of(tensor.fate()))
        .with("name", Json.of(tensor.source().name()))
        .with("outputs", Json.of(outputs))
        .with("reason", Json.of(tensor.reason()))
        .with("rule", tensor.rule().<Json>map(Json::of).orElse(Json.Null.NULL))
        .with("shape", shape(tensor.source().shape()))
        .with("sources", sources(tensor));
  }

  private static Json errors(Map<String, ErrorStatistics> errors) {
    Json.Obj all = Json.Obj.empty();
    for (Map.Entry<String, ErrorStatistics> entry : errors.entrySet()) {
      ErrorStatistics e = entry.getValue();
      all =
          all.with(
              entry.getKey(),
              Json.Obj.empty()
                  .with("elements", Json.of(e.elements()))
                  .with("mean_relative_error", number(e.meanRelativeError()))
                  .with("signal_to_noise_db", number(e.signalToNoiseDb()))
                  .with("worst_relative_error", number(e.worstRelativeError())));
    }
    return all;
  }

  /** JSON has no infinity and no NaN. */
  private static Json number(double value) {
    return Double.isFinite(value) ? Json.of(value) : Json.Null.NULL;
  }

  private static Json shape(List<Long> shape) {
    return Json.of(shape.stream().map(Json::of).toList());
  }

  private static Json strings(List<String> texts) {
    return Json.of(texts.stream().map(Json::of).toList());
  }

  private static String print(Json document) {
    return JsonWriter.pretty(document) + "\n";
  }
}
