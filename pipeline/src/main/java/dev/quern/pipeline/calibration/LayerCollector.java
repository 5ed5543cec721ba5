package dev.quern.pipeline.calibration;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.HessianAccumulator;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.model.AttentionSpec;
import dev.quern.engine.model.LayerObserver;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.solver.Hessian;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Watches one layer while all samples run through it: sums up the Hessian of each input that a
 * solver wants, once for all matrices that read it, and keeps ranges where scales are stored.
 */
final class LayerCollector implements LayerObserver {
  /** What was seen of one input. */
  private static final class Seen {
    private final CalibrationPlan.Input input;
    private final Optional<HessianAccumulator> hessian;
    private final Map<CalibratedModule, ValueRange> ranges = new LinkedHashMap<>();
    private long samples;

    private Seen(CalibrationPlan.Input input, Optional<HessianAccumulator> hessian) {
      this.input = input;
      this.hessian = hessian;
      for (CalibratedModule module : input.readers()) {
        if (module.watchesInput()) {
          QuantizationArgs args = module.scheme().inputActivations().orElseThrow();
          ranges.put(module, new ValueRange(module.type(), ActivationScales.decay(args)));
        }
      }
    }
  }

  private final Kernels kernels;
  private final Map<String, Seen> inputs = new LinkedHashMap<>();
  private final Map<String, CacheRanges> caches = new HashMap<>();

  /**
   * @param arena owns the Hessians
   * @param workspace for their products
   * @param cache how keys and values are stored; empty where they are not watched
   */
  LayerCollector(
      Arena arena,
      Workspace workspace,
      Kernels kernels,
      CalibrationPlan.Layer layer,
      Optional<QuantizationArgs> cache) {
    this.kernels = kernels;
    for (CalibrationPlan.Input input : layer.inputs()) {
      Optional<HessianAccumulator> hessian =
          input.needsHessian()
              ? Optional.of(
                  new HessianAccumulator(arena, workspace, FloatType.F32, input.features()))
              : Optional.empty();
      inputs.put(input.name(), new Seen(input, hessian));
    }
    if (cache.isPresent()) {
      AttentionSpec attention = layer.spec().attention();
      for (String side : List.of("k", "v")) {
        caches.put(
            side,
            new CacheRanges(cache.get(), layer.type(), attention.keyHeads(), attention.headSize()));
      }
    }
  }

  @Override
  public void input(List<String> linears, FloatMatrix values) {
    Seen seen = inputs.get(linears.getFirst());
    if (seen != null) {
      seen.hessian.ifPresent(hessian -> hessian.add(values.operand()));
      seen.ranges.values().forEach(range -> range.add(kernels, values));
      seen.samples++;
    }
  }

  @Override
  public void keys(String attention, FloatMatrix keys) {
    Optional.ofNullable(caches.get("k")).ifPresent(ranges -> ranges.add(kernels, keys));
  }

  @Override
  public void values(String attention, FloatMatrix values) {
    Optional.ofNullable(caches.get("v")).ifPresent(ranges -> ranges.add(kernels, values));
  }

  /**
   * Ends the sum of an input: {@code 2 / samples Σ x xᵀ}, the reference's unit; all zeros when no
   * sample reached it. Once for each input.
   *
   * @throws CheckpointException when activations were not finite
   */
  Hessian hessian(CalibrationPlan.Input input) {
    Seen seen = inputs.get(input.name());
    try {
      return Hessian.ofLower(seen.hessian.orElseThrow().finish(2.0 / Math.max(1, seen.samples)));
    } catch (IllegalArgumentException e) {
      throw notFinite(input.name(), e.getMessage());
    }
  }

  /** Whether a sample reached an input. */
  boolean wasReached(CalibrationPlan.Input input) {
    return inputs.get(input.name()).samples > 0;
  }

  /**
   * The range of a module's inputs. When no token reached it, that of the modules of the same name
   * in the layer: an expert's siblings read the same stream.
   *
   * @throws CheckpointException when activations were not finite
   */
  ValueRange range(CalibratedModule module) {
    ValueRange own =
        inputs.values().stream()
            .filter(seen -> seen.ranges.containsKey(module))
            .map(seen -> seen.ranges.get(module))
            .findFirst()
            .orElseThrow();
    if (own.isEmpty()) {
      String last = lastPart(module.name());
      inputs.values().stream()
          .flatMap(seen -> seen.ranges.entrySet().stream())
          .filter(entry -> lastPart(entry.getKey().name()).equals(last))
          .map(Map.Entry::getValue)
          .filter(range -> range != own)
          .forEach(own::include);
    }
    requireFinite(module.name(), own);
    return own;
  }

  /**
   * The ranges of keys ({@code k}) or values ({@code v}).
   *
   * @throws CheckpointException when they were not finite
   */
  ValueRange[] cache(String attention, String side) {
    ValueRange[] ranges = caches.get(side).ranges();
    for (ValueRange range : ranges) {
      requireFinite(attention, range);
    }
    return ranges;
  }

  private static void requireFinite(String module, ValueRange range) {
    if (!range.isFinite()) {
      throw notFinite(
          module, "they range from " + range.min() + " to " + range.max() + " in the model's type");
    }
  }

  private static CheckpointException notFinite(String module, String problem) {
    return new CheckpointException(
        module,
        "expected finite activations on the calibration samples, found others: " + problem,
        "Check that the model computes sound text (quern eval), and the samples; or add the module"
            + " to ignore.");
  }

  private static String lastPart(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }
}
