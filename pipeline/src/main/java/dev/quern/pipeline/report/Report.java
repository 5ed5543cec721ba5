package dev.quern.pipeline.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a compression did, to be read by people and machines: the content of {@code report.json} and
 * {@code report.html}. It depends on the source, the recipe and the version alone, never on the
 * machine, the time or the folders.
 *
 * @param quern version of the program
 * @param model name of the source's folder
 * @param schemes number of modules by scheme
 * @param bytesBefore of all source tensors
 * @param bytesAfter of all written tensors
 * @param modules quantized matrices, in the order of the source
 * @param kept all other tensors, by reason
 * @param warnings a sentence each
 * @param notes what ran, a sentence each
 * @param recipe text of {@code recipe.yaml}
 */
public record Report(
    String quern,
    String model,
    SortedMap<String, Long> schemes,
    long bytesBefore,
    long bytesAfter,
    List<ModuleResult> modules,
    List<KeptTensors> kept,
    List<String> warnings,
    List<String> notes,
    String recipe) {
  /** How many of the worst modules are listed. */
  static final int WORST = 20;

  /** Copies the collections. */
  public Report {
    schemes = Collections.unmodifiableSortedMap(new TreeMap<>(schemes));
    modules = List.copyOf(modules);
    kept = List.copyOf(kept);
    warnings = List.copyOf(warnings);
    notes = List.copyOf(notes);
  }

  /**
   * Modules of one kind in one layer.
   *
   * @param modules how many: more than one for experts
   */
  record Cell(int modules, long bytesBefore, long bytesAfter, Deviation deviation) {
    static final Cell NONE = new Cell(0, 0, 0, Deviation.NONE);

    Cell plus(ModuleResult module) {
      return new Cell(
          modules + 1,
          bytesBefore + module.bytesBefore(),
          bytesAfter + module.bytesAfter(),
          deviation.plus(module.deviation()));
    }
  }

  /** Layer by layer, kind by kind; modules outside of layers are in layer -1. */
  SortedMap<Integer, Map<String, Cell>> layers() {
    SortedMap<Integer, Map<String, Cell>> layers = new TreeMap<>();
    for (ModuleResult module : modules) {
      layers
          .computeIfAbsent(module.layer().orElse(-1), layer -> new TreeMap<>())
          .merge(module.kind(), Cell.NONE.plus(module), (cell, _) -> cell.plus(module));
    }
    return layers;
  }

  /** By kind, over all layers. */
  SortedMap<String, Cell> kinds() {
    SortedMap<String, Cell> kinds = new TreeMap<>();
    for (ModuleResult module : modules) {
      kinds.merge(module.kind(), Cell.NONE.plus(module), (cell, _) -> cell.plus(module));
    }
    return kinds;
  }

  /** All quantized weights. */
  Deviation whole() {
    return modules.stream().map(ModuleResult::deviation).reduce(Deviation.NONE, Deviation::plus);
  }

  /** The modules with the largest mean relative errors, the largest first. */
  List<ModuleResult> worst() {
    List<ModuleResult> sorted = new ArrayList<>(modules);
    sorted.sort(
        Comparator.comparingDouble((ModuleResult m) -> -m.deviation().meanRelativeError())
            .thenComparing(ModuleResult::name));
    return sorted.subList(0, Math.min(WORST, sorted.size()));
  }
}
