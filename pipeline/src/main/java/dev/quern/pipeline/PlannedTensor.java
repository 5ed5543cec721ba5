package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.compressedtensors.CompressedTensorNames;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** A tensor of the plan with what is needed to work on it. */
record PlannedTensor(TensorPlan plan, SourceWeight source, Optional<WeightCodec> codec) {
  static PlannedTensor of(TensorPlan plan, SourceWeight source) {
    Optional<WeightCodec> codec =
        plan.scheme()
            .map(
                scheme ->
                    WeightCodecs.find(scheme, source.type(), source.rows(), source.cols())
                        .orElseThrow());
    return new PlannedTensor(plan, source, codec);
  }

  /** What is written in the place of a module's weight. */
  static List<TensorSpec> outputs(String module, TensorSpec weight, QuantizationScheme scheme) {
    return CompressedTensorNames.of(
        module, weight.shape().get(0), weight.shape().get(1), scheme, weight.dtype());
  }

  /** The same tensor with another codec. */
  PlannedTensor withCodec(WeightCodec newCodec) {
    return new PlannedTensor(plan, source, Optional.of(newCodec));
  }

  /** What has to be measured before it can be compressed. */
  Optional<Measurement> measurement() {
    return codec.flatMap(WeightCodec::measurement);
  }

  /**
   * How much work it is to compress, in bytes of source that would take about as long without a
   * search: each step of one costs as much as quantizing.
   */
  long work() {
    int steps =
        plan.scheme()
            .flatMap(QuantizationScheme::weights)
            .map(weights -> WeightObserver.of(weights).steps(type()))
            .orElse(1);
    return plan.source().bytes() * Math.max(1, steps);
  }

  /** What kernels keep for the search of scales, whatever the size of a piece of work. */
  long searchBytes(Kernels kernels, int threads) {
    return plan.scheme()
        .flatMap(QuantizationScheme::weights)
        .map(weights -> WeightObserver.of(weights).memoryBytes(type(), kernels, threads))
        .orElse(0L);
  }

  FloatType type() {
    return source.type();
  }

  int cols() {
    return source.cols();
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
      long grain = source.grain();
      return SourceTask.cut(index, plan.source().bytes() / grain, 1, grain, target);
    }
    int unit = codec.get().stripRows();
    return SourceTask.cut(index, source.rows(), unit, unit * source.rowBytes(), target);
  }

  /** The least piece of work on a matrix. */
  SourceTask firstStrip() {
    return new SourceTask(0, 0, Math.min(source.rows(), codec.orElseThrow().stripRows()));
  }

  /** What decides which loops of the kernels run: tensors of one kind need the same. */
  Object kind() {
    return List.of(
        plan.scheme().flatMap(QuantizationScheme::weights),
        plan.scheme().map(QuantizationScheme::formatOrDefault),
        source.type());
  }

  /** The first byte of a piece of work within the plain source tensor. */
  long sourceOffset(SourceTask task) {
    return task.begin() * unitBytes();
  }

  /** The plain bytes of a piece of work. */
  MemorySegment read(Kernels kernels, SourceTask task, Arena arena, Scratch scratch) {
    return source.read(kernels, sourceOffset(task), sourceBytes(task), arena, scratch);
  }

  /** Bytes of a piece of work within the plain source tensor. */
  long sourceBytes(SourceTask task) {
    return task.size() * unitBytes();
  }

  private long unitBytes() {
    return codec.isEmpty() ? source.grain() : source.rowBytes();
  }

  /**
   * @throws QuernException when a piece of work needs more than the whole budget
   */
  void requireMemory(int threads, long budget) {
    long needed = memoryBytes(tasks(0, SourceTask.targetBytes(threads, budget)).get(0));
    if (needed > budget) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          source.place(),
          "one piece of work needs " + needed + " bytes of memory, and the budget is " + budget,
          "Raise --memory.");
    }
  }

  /** The most memory that a piece of work occupies: source, results, a row for comparing. */
  long memoryBytes(SourceTask task) {
    long bytes = source.memoryBytes(sourceBytes(task));
    if (codec.isEmpty()) {
      return bytes + sourceBytes(task);
    }
    WeightCodec weights = codec.get();
    for (int p = 0; p < weights.parameters().size(); p++) {
      bytes += weights.bytes(p, Math.toIntExact(task.size()));
    }
    return bytes + source.rowBytes();
  }
}
