package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.NonFiniteWeightException;
import dev.quern.pipeline.source.SourceModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Computes and writes all tensors of a plan: piece by piece, in parallel, within the memory budget.
 */
final class CompressionRun {
  private final SourceModel model;
  private final ShardOutputs outputs;
  private final Workers workers;
  private final MemoryBudget budget;
  private final Progress progress;
  private final String stage;
  private KernelHandOver handOver;
  private List<PlannedTensor> tensors;

  CompressionRun(
      SourceModel model,
      OutputPlan plan,
      ShardOutputs outputs,
      Workers workers,
      MemoryBudget budget,
      Progress progress) {
    this.model = model;
    this.outputs = outputs;
    this.workers = workers;
    this.budget = budget;
    this.progress = progress;
    this.stage = plan.stage();
    this.tensors = planned(model, plan.tensors());
    this.handOver = KernelHandOver.forJob(tensors.stream().mapToLong(PlannedTensor::work).sum());
  }

  /** What is computed strip by strip: all but matrices that a solver has done already. */
  static List<PlannedTensor> planned(SourceModel model, List<TensorPlan> plans) {
    List<PlannedTensor> tensors = new ArrayList<>();
    for (TensorPlan tensor : plans.stream().filter(plan -> !plan.isSolved()).toList()) {
      tensors.add(PlannedTensor.of(tensor, model.find(tensor.name()).orElseThrow()));
    }
    return tensors;
  }

  static List<SourceTask> tasks(List<PlannedTensor> tensors, Workers workers, MemoryBudget budget) {
    long target = SourceTask.targetBytes(workers.threads(), budget.limit());
    List<SourceTask> tasks = new ArrayList<>();
    for (int i = 0; i < tensors.size(); i++) {
      tasks.addAll(tensors.get(i).tasks(i, target));
    }
    return tasks;
  }

  /** Measures what has to be known of whole matrices, then compresses and copies. */
  void run() throws Exception {
    tensors = new MeasurementRun(workers, budget, progress).run(tensors);
    List<SourceTask> tasks = tasks(tensors, workers, budget);
    progress.stage(stage, tensors.stream().mapToLong(t -> t.plan().source().bytes()).sum());
    long largest =
        tasks.stream().mapToLong(t -> tensors.get(t.tensor()).memoryBytes(t)).max().orElse(0);
    WorkerScratch[] scratch = WorkerScratch.forWorkers(workers.threads());
    try (SearchMemory search =
        SearchMemory.of(handOver, tensors, largest, workers.threads(), budget)) {
      handOver = search.handOver();
      handOver.run(
          workers,
          tensors,
          (tensor, kernels, worker) -> rehearse(tensor, kernels, scratch[worker]),
          tasks.size(),
          (index, worker) -> {
            SourceTask task = tasks.get(index);
            PlannedTensor tensor = tensors.get(task.tensor());
            try (MemoryBudget.Lease _ = budget.acquire(tensor.memoryBytes(task))) {
              work(tensor, task, scratch[worker]);
              scratch[worker].keepShare(workers.threads(), budget);
            }
            progress.advance(tensor.sourceBytes(task));
          });
    } finally {
      WorkerScratch.close(scratch);
    }
    outputs.complete();
  }

  /** Compresses the first strip of a matrix, for nobody. */
  private void rehearse(PlannedTensor tensor, Kernels kernels, WorkerScratch scratch)
      throws Exception {
    WeightCodec codec = tensor.codec().orElseThrow();
    SourceTask task = tensor.firstStrip();
    try (MemoryBudget.Lease _ = budget.acquire(tensor.memoryBytes(task));
        Arena arena = Arena.ofConfined()) {
      int rows = Math.toIntExact(task.size());
      MemorySegment window = tensor.read(kernels, task, arena, scratch.source());
      codec.compress(kernels, window, rows, slices(codec, rows, scratch.results()));
    }
  }

  private void work(PlannedTensor tensor, SourceTask task, WorkerScratch scratch) {
    try (Arena arena = Arena.ofConfined()) {
      if (tensor.codec().isPresent()) {
        compress(tensor, tensor.codec().get(), task, arena, scratch);
      } else {
        copy(tensor, task, arena, scratch);
      }
    } catch (InternalError e) {
      throw SourceFaults.shortened(tensor, e);
    }
  }

  private void copy(PlannedTensor tensor, SourceTask task, Arena arena, WorkerScratch scratch) {
    outputs.write(
        tensor.plan().outputs().get(0),
        tensor.sourceOffset(task),
        tensor.read(handOver.kernels(tensor), task, arena, scratch.source()));
  }

  private void compress(
      PlannedTensor tensor,
      WeightCodec codec,
      SourceTask task,
      Arena arena,
      WorkerScratch scratch) {
    int begin = Math.toIntExact(task.begin());
    int rows = Math.toIntExact(task.size());
    Kernels kernels = handOver.kernels(tensor);
    MemorySegment window = tensor.read(kernels, task, arena, scratch.source());
    List<MemorySegment> results = slices(codec, rows, scratch.results());
    try {
      codec.compress(kernels, window, rows, results);
    } catch (NonFiniteWeightException e) {
      throw SourceFaults.nonFinite(tensor, begin, e);
    }
    for (int p = 0; p < results.size(); p++) {
      if (begin == 0 || !codec.wholeMatrix(p)) {
        outputs.write(
            tensor.output(codec.parameters().get(p)), codec.offset(p, begin), results.get(p));
      }
    }
  }

  /** Room for each parameter of a strip, each aligned. */
  private static List<MemorySegment> slices(WeightCodec codec, int rows, Scratch scratch) {
    int count = codec.parameters().size();
    long[] offsets = new long[count + 1];
    for (int p = 0; p < count; p++) {
      offsets[p + 1] = roundUp(offsets[p] + codec.bytes(p, rows));
    }
    MemorySegment all = scratch.atLeast(offsets[count]);
    List<MemorySegment> slices = new ArrayList<>(count);
    for (int p = 0; p < count; p++) {
      slices.add(all.asSlice(offsets[p], codec.bytes(p, rows)));
    }
    return slices;
  }

  private static long roundUp(long bytes) {
    return Math.ceilDiv(bytes, NativeMemory.ALIGNMENT) * NativeMemory.ALIGNMENT;
  }
}
