package dev.quern.pipeline;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.pipeline.report.Deviation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads a written checkpoint again and compares it with its source: copies byte for byte,
 * compressed matrices after decompression, each weight within the bound of its format.
 */
final class Verification {
  /** What a copy adds: one for all, because there may be very many. */
  private static final Deviation NO_ERRORS = Deviation.NONE;

  private final List<PlannedTensor> tensors;
  private final Map<String, SafetensorsFile> outputs;
  private final KernelHandOver handOver;

  /**
   * @param outputs the file of each output tensor
   */
  Verification(List<PlannedTensor> tensors, Map<String, SafetensorsFile> outputs) {
    this.tensors = tensors;
    this.outputs = outputs;
    this.handOver =
        KernelHandOver.forJob(tensors.stream().mapToLong(t -> t.plan().source().bytes()).sum());
  }

  /**
   * @return errors of compressed matrices by their modules' names
   * @throws QuernException when anything differs more than it may
   */
  SortedMap<String, Deviation> run(Workers workers, MemoryBudget budget, Progress progress)
      throws Exception {
    List<SourceTask> tasks = CompressionRun.tasks(tensors, workers, budget);
    progress.stage("verify", tensors.stream().mapToLong(t -> t.plan().source().bytes()).sum());
    Deviation[] sums = new Deviation[tasks.size()];
    WorkerScratch[] scratch = WorkerScratch.forWorkers(workers.threads());
    try {
      handOver.run(
          workers,
          tensors,
          (tensor, kernels, worker) -> rehearse(tensor, kernels, budget, scratch[worker]),
          tasks.size(),
          (index, worker) -> {
            SourceTask task = tasks.get(index);
            PlannedTensor tensor = tensors.get(task.tensor());
            try (MemoryBudget.Lease _ = budget.acquire(tensor.memoryBytes(task));
                Arena arena = Arena.ofConfined()) {
              sums[index] =
                  tensor.codec().isPresent()
                      ? compare(tensor, handOver.kernels(tensor), task, arena, scratch[worker])
                      : compareCopy(tensor, task, arena, scratch[worker]);
              scratch[worker].keepShare(workers.threads(), budget);
            }
            progress.advance(tensor.sourceBytes(task));
          });
    } finally {
      WorkerScratch.close(scratch);
    }
    return byModule(tasks, sums);
  }

  /** Compares the first strip of a matrix, for nobody. */
  private void rehearse(
      PlannedTensor tensor, Kernels kernels, MemoryBudget budget, WorkerScratch scratch)
      throws Exception {
    SourceTask task = tensor.firstStrip();
    try (MemoryBudget.Lease _ = budget.acquire(tensor.memoryBytes(task));
        Arena arena = Arena.ofConfined()) {
      compare(tensor, kernels, task, arena, scratch);
    }
  }

  private SortedMap<String, Deviation> byModule(List<SourceTask> tasks, Deviation[] sums) {
    SortedMap<String, Deviation> modules = new TreeMap<>();
    for (int i = 0; i < sums.length; i++) {
      PlannedTensor tensor = tensors.get(tasks.get(i).tensor());
      if (tensor.codec().isPresent()) {
        modules.merge(tensor.plan().module(), sums[i], Deviation::plus);
      }
    }
    return modules;
  }

  private Deviation compareCopy(
      PlannedTensor tensor, SourceTask task, Arena arena, WorkerScratch scratch) {
    long begin = tensor.sourceOffset(task);
    long length = tensor.sourceBytes(task);
    Kernels kernels = handOver.kernels(tensor);
    MemorySegment source = tensor.source().read(kernels, begin, length, arena, scratch.source());
    MemorySegment copy = window(tensor.plan().outputs().get(0).name(), begin, length, arena);
    long at = source.mismatch(copy);
    if (at >= 0) {
      throw differs(
          tensor, "byte " + (begin + at) + " differs from the source's although it was copied");
    }
    return NO_ERRORS;
  }

  private Deviation compare(
      PlannedTensor tensor, Kernels kernels, SourceTask task, Arena arena, WorkerScratch scratch) {
    WeightCodec codec = tensor.codec().orElseThrow();
    int begin = Math.toIntExact(task.begin());
    int rows = Math.toIntExact(task.size());
    FloatType type = tensor.type();
    int cols = tensor.cols();
    long rowBytes = tensor.source().rowBytes();
    MemorySegment source = tensor.read(kernels, task, arena, scratch.source());
    List<MemorySegment> parameters = new ArrayList<>();
    for (int p = 0; p < codec.parameters().size(); p++) {
      String name = tensor.output(codec.parameters().get(p)).name();
      parameters.add(window(name, codec.offset(p, begin), codec.bytes(p, rows), arena));
    }
    codec
        .contradiction(parameters)
        .ifPresent(
            problem -> {
              throw differs(tensor, problem);
            });
    MemorySegment restored = scratch.results().atLeast(rowBytes);

    ErrorSums rowSums = new ErrorSums();
    Deviation sum = Deviation.NONE;
    float relativeBound = codec.relativeBound();
    for (int row = 0; row < rows; row++) {
      long offset = row * rowBytes;
      codec.decompressRow(kernels, parameters, rows, row, restored);
      rowSums.clear();
      kernels.addErrors(type, source, offset, restored, 0, cols, relativeBound, rowSums);
      double bound = codec.absoluteBound(parameters, rows, row, 0);
      if (!(rowSums.excess <= bound)) {
        // Rare: a scale that was rounded down much cuts off large weights, and how much depends on
        // them.
        float absMax = type.decode(kernels.absMaxBits(type, source, offset, cols));
        bound = codec.absoluteBound(parameters, rows, row, absMax);
      }
      // Written so that NaN fails.
      if (!(rowSums.excess <= bound)) {
        throw differs(
            tensor,
            "row "
                + (begin + row)
                + ": expected each weight within "
                + relativeBound
                + " of its magnitude plus "
                + bound
                + ", found an error of up to "
                + rowSums.maxError);
      }
      if (WideErrors.isNeeded(rowSums)) {
        WideErrors.replaceSums(type, source, offset, restored, rowSums);
      }
      double worst = rowSums.maxError / codec.range(parameters, rows, row);
      sum = sum.plus(ErrorStatistics.row(rowSums, worst));
    }
    return sum;
  }

  private MemorySegment window(String tensor, long offset, long length, Arena arena) {
    SafetensorsFile file = outputs.get(tensor);
    TensorInfo info = file.find(tensor).orElseThrow();
    return file.map(info, offset, length, arena);
  }

  private QuernException differs(PlannedTensor tensor, String problem) {
    String output = tensor.plan().outputs().get(0).name();
    return new QuernException(
        QuernException.Kind.VERIFICATION,
        outputs.get(output).path() + ", tensor " + output,
        problem,
        "The source is another one or has changed, or the disk or the memory is faulty; compress"
            + " again, elsewhere if it happens twice.");
  }
}
