package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.NonFiniteWeightException;
import dev.quern.formats.compressedtensors.FusedSets;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The stage before compressing: measures the matrices whose codecs ask for it, and binds what was
 * learnt to their codecs. Repeats while a codec asks for more; where none asks, nothing happens.
 */
final class MeasurementRun {
  private final Workers workers;
  private final MemoryBudget budget;
  private final Progress progress;

  MeasurementRun(Workers workers, MemoryBudget budget, Progress progress) {
    this.workers = workers;
    this.budget = budget;
    this.progress = progress;
  }

  /** The same tensors, with codecs that can compress. */
  List<PlannedTensor> run(List<PlannedTensor> tensors) throws Exception {
    List<PlannedTensor> current = tensors;
    while (current.stream().anyMatch(tensor -> tensor.measurement().isPresent())) {
      current = round(current);
    }
    return current;
  }

  private List<PlannedTensor> round(List<PlannedTensor> tensors) throws Exception {
    long[][] own = measure(tensors);
    long[][] fused = mergeFusedSets(tensors, own);
    List<PlannedTensor> bound = new ArrayList<>(tensors.size());
    for (int i = 0; i < own.length; i++) {
      PlannedTensor tensor = tensors.get(i);
      Optional<Measurement> measurement = tensor.measurement();
      bound.add(
          measurement.isEmpty()
              ? tensor
              : tensor.withCodec(measurement.get().bind(own[i], fused[i])));
    }
    return bound;
  }

  /** What each tensor shows; null for those that need no measurement. */
  private long[][] measure(List<PlannedTensor> tensors) throws Exception {
    long target = SourceTask.targetBytes(workers.threads(), budget.limit());
    List<SourceTask> tasks = new ArrayList<>();
    List<Measurement> measurements = new ArrayList<>();
    long bytes = 0;
    long work = 0;
    for (int i = 0; i < tensors.size(); i++) {
      PlannedTensor tensor = tensors.get(i);
      measurements.add(tensor.measurement().orElse(null));
      if (measurements.get(i) != null) {
        tasks.addAll(tensor.tasks(i, target));
        bytes += tensor.plan().source().bytes();
        work += tensor.work();
      }
    }
    progress.stage("measure", bytes);
    long[][] results = new long[tensors.size()][];
    List<PlannedTensor> measured =
        tensors.stream().filter(tensor -> tensor.measurement().isPresent()).toList();
    long largest =
        tasks.stream().mapToLong(t -> memoryBytes(tensors.get(t.tensor()), t)).max().orElse(0);
    WorkerScratch[] scratch = WorkerScratch.forWorkers(workers.threads());
    try (SearchMemory search =
        SearchMemory.of(
            KernelHandOver.forJob(work), measured, largest, workers.threads(), budget)) {
      KernelHandOver handOver = search.handOver();
      handOver.run(
          workers,
          measured,
          (tensor, kernels, worker) -> rehearse(tensor, kernels, scratch[worker]),
          tasks.size(),
          (index, worker) -> {
            SourceTask task = tasks.get(index);
            PlannedTensor tensor = tensors.get(task.tensor());
            Measurement measurement = measurements.get(task.tensor());
            long[] strip;
            try (MemoryBudget.Lease _ = budget.acquire(memoryBytes(tensor, task))) {
              Kernels kernels = handOver.kernels(tensor);
              strip = measure(tensor, measurement, kernels, task, scratch[worker]);
              scratch[worker].keepShare(workers.threads(), budget);
            }
            synchronized (results) { // a few numbers for megabytes of weights
              if (results[task.tensor()] == null) {
                results[task.tensor()] = strip;
              } else {
                measurement.merge(results[task.tensor()], strip);
              }
            }
            progress.advance(tensor.sourceBytes(task));
          });
    } finally {
      WorkerScratch.close(scratch);
    }
    return results;
  }

  private static long memoryBytes(PlannedTensor tensor, SourceTask task) {
    return tensor.source().memoryBytes(tensor.sourceBytes(task));
  }

  /** Measures the first strip of a matrix, for nobody. */
  private void rehearse(PlannedTensor tensor, Kernels kernels, WorkerScratch scratch)
      throws Exception {
    SourceTask task = tensor.firstStrip();
    try (MemoryBudget.Lease _ = budget.acquire(memoryBytes(tensor, task))) {
      measure(tensor, tensor.measurement().orElseThrow(), kernels, task, scratch);
    }
  }

  private long[] measure(
      PlannedTensor tensor,
      Measurement measurement,
      Kernels kernels,
      SourceTask task,
      WorkerScratch scratch) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment window = tensor.read(kernels, task, arena, scratch.source());
      return measurement.measure(kernels, window, Math.toIntExact(task.size()));
    } catch (NonFiniteWeightException e) {
      throw SourceFaults.nonFinite(tensor, task.begin(), e);
    } catch (InternalError e) {
      throw SourceFaults.shortened(tensor, e);
    }
  }

  private static long[][] mergeFusedSets(List<PlannedTensor> tensors, long[][] own) {
    Map<String, Integer> concerned = new HashMap<>();
    for (int i = 0; i < own.length; i++) {
      if (tensors.get(i).measurement().filter(Measurement::concernsFusedSet).isPresent()) {
        concerned.put(tensors.get(i).plan().module(), i);
      }
    }
    long[][] fused = own.clone();
    for (List<String> set : FusedSets.of(concerned.keySet().stream().sorted().toList())) {
      long[] all = null;
      for (String module : set) {
        int i = concerned.get(module);
        if (all == null) {
          all = own[i].clone();
        } else {
          tensors.get(i).measurement().orElseThrow().merge(all, own[i]);
        }
      }
      for (String module : set) {
        fused[concerned.get(module)] = all;
      }
    }
    return fused;
  }
}
