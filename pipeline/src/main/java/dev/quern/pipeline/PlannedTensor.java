package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.compressedtensors.CompressedTensorNames;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.List;
import java.util.Optional;

/** A tensor of the plan with what is needed to work on it. */
record PlannedTensor(TensorPlan plan, SourceTensor source, Optional<WeightCodec> codec) {
  static PlannedTensor of(TensorPlan plan, SourceTensor source) {
    TensorInfo info = source.info();
    Optional<WeightCodec> codec =
        plan.scheme()
            .map(
                scheme ->
                    WeightCodecs.find(
                            scheme,
                            FloatType.of(info.dtype()).orElseThrow(),
                            Math.toIntExact(info.dim(0)),
                            Math.toIntExact(info.dim(1)))
                        .orElseThrow());
    return new PlannedTensor(plan, source, codec);
  }

  /** What is written in the place of a module's weight. */
  static List<TensorSpec> outputs(String module, TensorInfo weight, QuantizationScheme scheme) {
    return CompressedTensorNames.of(module, weight.dim(0), weight.dim(1), scheme, weight.dtype());
  }

  TensorInfo info() {
    return source.info();
  }

  FloatType type() {
    return FloatType.of(info().dtype()).orElseThrow();
  }

  int cols() {
    return Math.toIntExact(info().dim(1));
  }

  /** The output tensor of a codec's parameter. */
  TensorSpec output(String parameter) {
    String name = plan.module() + "." + parameter;
    return plan.outputs().stream()
        .filter(output -> output.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The pieces of work, in order. */
  List<SourceTask> tasks(int index, long target) {
    if (codec.isEmpty()) {
      return SourceTask.cut(index, info().bytes(), 1, 1, target);
    }
    int unit = codec.get().stripRows();
    return SourceTask.cut(
        index, info().dim(0), unit, (long) unit * cols() * type().bytes(), target);
  }

  /** Source bytes of a piece of work. */
  long sourceBytes(SourceTask task) {
    return codec.isEmpty() ? task.size() : task.size() * cols() * type().bytes();
  }

  /**
   * @throws QuernException when a piece of work needs more than the whole budget
   */
  void requireMemory(int threads, long budget) {
    long needed = memoryBytes(tasks(0, SourceTask.targetBytes(threads, budget)).get(0));
    if (needed > budget) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          source.file().path() + ", tensor " + source.name(),
          "one piece of work needs " + needed + " bytes of memory, and the budget is " + budget,
          "Raise --memory.");
    }
  }

  /** The most memory that a piece of work occupies: source window, results, rows for comparing. */
  long memoryBytes(SourceTask task) {
    long bytes = sourceBytes(task);
    if (codec.isEmpty()) {
      return 2 * bytes;
    }
    WeightCodec weights = codec.get();
    for (int p = 0; p < weights.parameters().size(); p++) {
      bytes += weights.bytes(p, Math.toIntExact(task.size()));
    }
    return bytes + 12L * cols();
  }
}
