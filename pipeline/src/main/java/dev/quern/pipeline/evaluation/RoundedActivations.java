package dev.quern.pipeline.evaluation;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.model.LayerObserver;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.ActivationRounding;
import java.util.List;
import java.util.Map;

/** Rounds what goes through a model as its rules say. */
final class RoundedActivations implements LayerObserver, AutoCloseable {
  /** Below this many elements, starting threads costs more than they save. */
  private static final long WORTH_THREADS = 100_000;

  private final ActivationRules rules;
  private final Kernels kernels;
  private final Workers workers;
  private final Scratch[] codes;

  RoundedActivations(ActivationRules rules, Kernels kernels, Workers workers) {
    this.rules = rules;
    this.kernels = kernels;
    this.workers = workers;
    codes = new Scratch[workers.threads()];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = new Scratch();
    }
  }

  @Override
  public boolean together(List<String> linears) {
    ActivationRounding first = rules.inputs().get(linears.getFirst());
    return linears.stream()
        .map(rules.inputs()::get)
        .allMatch(rounding -> first == null ? rounding == null : first.equals(rounding));
  }

  @Override
  public void input(List<String> linears, FloatMatrix input) {
    round(rules.inputs(), linears.getFirst(), input);
  }

  @Override
  public void queries(String attention, FloatMatrix queries) {
    round(rules.queries(), attention, queries);
  }

  @Override
  public void keys(String attention, FloatMatrix keys) {
    round(rules.keys(), attention, keys);
  }

  @Override
  public void values(String attention, FloatMatrix values) {
    round(rules.values(), attention, values);
  }

  private void round(Map<String, ActivationRounding> roundings, String module, FloatMatrix x) {
    ActivationRounding found = roundings.get(module);
    if (found == null || x.rows() == 0) {
      return;
    }
    ActivationRounding rounding = found.needsRange() ? ranged(found, x) : found;
    long elements = (long) x.rows() * x.columns();
    Tasks.runHereOrOn(
        workers,
        x.rows(),
        elements >= WORTH_THREADS,
        "an evaluation",
        (row, worker) ->
            rounding.round(
                kernels,
                x.data(),
                x.offset(row, 0),
                x.columns(),
                codes[worker].atLeast(x.columns())));
  }

  private ActivationRounding ranged(ActivationRounding rounding, FloatMatrix x) {
    float min = 0;
    float max = 0;
    for (int row = 0; row < x.rows(); row++) {
      float[] range = ActivationRounding.range(kernels, x.data(), x.offset(row, 0), x.columns());
      min = Math.min(min, range[0]); // these keep NaN
      max = Math.max(max, range[1]);
    }
    return rounding.withRange(min, max);
  }

  @Override
  public void close() {
    for (Scratch each : codes) {
      each.close();
    }
  }
}
