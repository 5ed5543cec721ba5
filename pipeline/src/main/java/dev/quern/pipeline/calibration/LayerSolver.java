package dev.quern.pipeline.calibration;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.model.Weights;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.NonFiniteWeightException;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.solver.Gptq;
import dev.quern.engine.solver.GptqResult;
import dev.quern.engine.solver.Hessian;
import dev.quern.engine.solver.Progress;
import dev.quern.engine.solver.StoredFormat;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.FusedSets;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.recipe.SolverChoice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Solves the matrices of one layer. Those that read one input and are stored alike are solved as
 * one matrix, one below the other: rows know nothing of each other, so the result is the same, and
 * the Hessian is factored once.
 */
final class LayerSolver {
  /** What must be equal for matrices to be solved as one. */
  private record Kind(
      QuantizationArgs args, FloatType type, SolverChoice solver, float globalScale, int number) {}

  private final Kernels kernels;
  private final Workers workers;
  private final Weights weights;
  private final Map<CalibratedModule, Float> globals;

  /**
   * @param weights of the layer, as they were
   * @throws CheckpointException when a weight is not finite
   */
  LayerSolver(Kernels kernels, Workers workers, Weights weights, CalibrationPlan.Layer layer) {
    this.kernels = kernels;
    this.workers = workers;
    this.weights = weights;
    this.globals = globals(layer);
  }

  /** Hears of solved matrices. */
  interface Solved {
    /** Takes the rows of one module; valid during the call only. */
    void accept(SolvedRows rows) throws IOException, InterruptedException;
  }

  /**
   * Solves all matrices of the layer that read one input.
   *
   * @return what was found, a line for each solve
   */
  List<SolveReport> solve(CalibrationPlan.Input input, Hessian hessian, Solved solved)
      throws IOException, InterruptedException {
    Map<Kind, List<CalibratedModule>> kinds = new LinkedHashMap<>();
    for (CalibratedModule module : input.readers()) {
      if (module.isSolved()) {
        kinds.computeIfAbsent(kind(module, kinds.size()), _ -> new ArrayList<>()).add(module);
      }
    }
    List<SolveReport> reports = new ArrayList<>();
    for (List<CalibratedModule> modules : kinds.values()) {
      reports.add(solve(modules, hessian, solved));
    }
    return reports;
  }

  private Kind kind(CalibratedModule module, int number) {
    QuantizationArgs args = module.scheme().weights().orElseThrow();
    float global = globals.getOrDefault(module, 1f);
    boolean stacked = format(module, 1).scalesBelongToRows();
    return new Kind(args, module.type(), module.solver(), global, stacked ? -1 : number);
  }

  private StoredFormat format(CalibratedModule module, int rows) {
    return SolverFormats.of(
            module.scheme(), module.type(), rows, module.cols(), globals.getOrDefault(module, 1f))
        .orElseThrow();
  }

  private SolveReport solve(List<CalibratedModule> modules, Hessian hessian, Solved solved)
      throws IOException, InterruptedException {
    CalibratedModule first = modules.getFirst();
    int rows = modules.stream().mapToInt(CalibratedModule::rows).sum();
    try (Arena arena = Arena.ofShared()) {
      GptqResult result =
          new Gptq(kernels, workers)
              .solve(
                  arena,
                  format(first, rows),
                  stacked(arena, modules),
                  hessian,
                  SolverFormats.options(first.solver(), first.scheme().weights().orElseThrow()),
                  Progress.NONE);
      MemorySegment packed = SolvedRows.pack(arena, kernels, result);
      MemorySegment scales = SolvedRows.scales(arena, result);
      int row = 0;
      for (CalibratedModule module : modules) {
        solved.accept(new SolvedRows(module, result, packed, scales, row));
        row += module.rows();
      }
      return new SolveReport(
          modules.stream().map(CalibratedModule::name).toList(),
          result.loss(),
          result.dampening(),
          result.rounded());
    } catch (NonFiniteWeightException e) {
      throw nonFinite(modules, e);
    } catch (ArithmeticException e) {
      throw new CheckpointException(
          modules.stream().map(CalibratedModule::name).collect(Collectors.joining(", ")),
          "cannot be solved: " + e.getMessage(),
          "Give a larger --dampening, more samples, or add the module to ignore.",
          e);
    }
  }

  /** One matrix below the other. */
  private MemorySegment stacked(Arena arena, List<CalibratedModule> modules) {
    if (modules.size() == 1) {
      return source(modules.getFirst());
    }
    long bytes = modules.stream().mapToLong(m -> m.rows() * m.weight().rowBytes()).sum();
    MemorySegment all = NativeMemory.allocate(arena, bytes);
    long at = 0;
    for (CalibratedModule module : modules) {
      MemorySegment one = source(module);
      all.asSlice(at, one.byteSize()).copyFrom(one);
      at += one.byteSize();
    }
    return all;
  }

  private MemorySegment source(CalibratedModule module) {
    MemorySegment data =
        weights.matrix(module.weight().name(), module.rows(), module.cols()).data();
    return data.asSlice(0, module.rows() * module.weight().rowBytes());
  }

  /** Global scales of NVFP4 matrices: one for each fused set. */
  private Map<CalibratedModule, Float> globals(CalibrationPlan.Layer layer) {
    Map<String, CalibratedModule> modules = new LinkedHashMap<>();
    Map<String, Integer> largest = new HashMap<>();
    for (CalibrationPlan.Input input : layer.inputs()) {
      for (CalibratedModule module : input.readers()) {
        if (module.isSolved() && SolverFormats.isNvfp4(module.scheme().weights().orElseThrow())) {
          modules.put(module.name(), module);
          largest.put(module.name(), absMaxBits(module));
        }
      }
    }
    for (List<String> set : FusedSets.of(modules.keySet())) {
      int all = set.stream().mapToInt(largest::get).max().orElseThrow();
      set.forEach(name -> largest.put(name, all));
    }
    Map<CalibratedModule, Float> scales = new HashMap<>();
    modules.forEach(
        (name, module) -> scales.put(module, Nvfp4Scales.global(module.type(), largest.get(name))));
    return scales;
  }

  private int absMaxBits(CalibratedModule module) {
    try {
      return AbsMax.ofRows(kernels, module.type(), source(module), module.rows(), module.cols());
    } catch (NonFiniteWeightException e) {
      throw nonFinite(List.of(module), e);
    }
  }

  private static CheckpointException nonFinite(
      List<CalibratedModule> modules, NonFiniteWeightException e) {
    long row = e.row();
    int m = 0;
    while (row >= modules.get(m).rows()) {
      row -= modules.get(m).rows();
      m++;
    }
    return new CheckpointException(
        modules.get(m).weight().place() + " [" + row + ", " + e.col() + "]",
        "expected finite weights, found " + e.value(),
        "The checkpoint is damaged or diverged in training; fetch it again, or leave the module as"
            + " it is with --ignore "
            + modules.get(m).name()
            + ".",
        e);
  }
}
