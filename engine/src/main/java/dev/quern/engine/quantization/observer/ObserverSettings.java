package dev.quern.engine.quantization.observer;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.numeric.FloatType;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An observer by its name, with its settings.
 *
 * <p>Sources: llm-compressor (2026-08), {@code observers/min_max.py} and {@code observers/mse.py}.
 * For weights that package replaces {@code minmax} and {@code static_minmax} by {@code
 * memoryless_minmax}, and {@code mse} by {@code memoryless_mse}: a weight is observed once, so
 * there is nothing to average. The configuration keeps the name that was given.
 *
 * @param name as given, with underscores
 * @param kind what it computes
 * @param maxshrink the largest part of the range that a search may cut off, 0 to 1
 * @param patience steps without improvement that end a search, 0 or more
 * @param grid steps that would shrink the range to nothing
 * @param norm exponent of the error
 * @param expand where a search begins, in units of the observed range, at least 1
 */
public record ObserverSettings(
    String name,
    Kind kind,
    double maxshrink,
    int patience,
    double grid,
    double norm,
    double expand) {

  /** What an observer computes for weights. */
  public enum Kind {
    /** The smallest and the largest weight. */
    MINMAX,
    /** The range whose error has the least norm, by a search over shrunk ranges. */
    MSE,
    /** The range whose squared error is the least, of all ranges of the weights' type. */
    EXACT
  }

  private static final int MOST_STEPS = 10_000;
  private static final ObserverSettings MSE =
      new ObserverSettings("memoryless_mse", Kind.MSE, 0.20, 5, 100, 2.4, 1);
  private static final Map<String, ObserverSettings> OBSERVERS = observers();

  private static Map<String, ObserverSettings> observers() {
    Map<String, ObserverSettings> all = new LinkedHashMap<>();
    for (String name : new String[] {"memoryless_minmax", "static_minmax", "minmax"}) {
      all.put(name, new ObserverSettings(name, Kind.MINMAX, 0, 0, 1, 1, 1));
    }
    all.put("memoryless_mse", MSE);
    all.put("mse", MSE.named("mse"));
    all.put(
        "nvfp4_expanded_mse",
        new ObserverSettings("nvfp4_expanded_mse", Kind.MSE, 1 - 0.8 / 1.8, 1000, 200, 2.4, 1.8));
    all.put("exact", new ObserverSettings("exact", Kind.EXACT, 0.9, 0, 1, 2, 1));
    return all;
  }

  /** Checks the ranges. */
  public ObserverSettings {
    require(maxshrink >= 0 && maxshrink <= 1, "maxshrink", "a number from 0 to 1", maxshrink);
    require(patience >= 0, "patience", "a whole number from 0 on", patience);
    require(grid > 0 && grid <= 1e6, "grid", "a number above 0, at most 1000000", grid);
    require(norm > 0 && norm <= 100, "norm", "a number above 0, at most 100", norm);
    require(expand >= 1 && expand <= 1000, "expand", "a number from 1 to 1000", expand);
    require(
        maxshrink * grid <= MOST_STEPS,
        "grid",
        "at most " + MOST_STEPS + " steps, which maxshrink * grid gives",
        grid);
  }

  private static void require(boolean holds, String key, String expected, double found) {
    if (!holds) {
      throw new ObserverException(key, expected, text(found), "Change or remove " + key);
    }
  }

  private static String text(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1e15
        ? Long.toString((long) number)
        : Double.toString(number);
  }

  private ObserverSettings named(String other) {
    return new ObserverSettings(other, kind, maxshrink, patience, grid, norm, expand);
  }

  /**
   * The observer of a name with settings that differ from its own.
   *
   * @param name dashes count as underscores
   * @param settings {@code observer_kwargs}: numbers by name
   * @throws ObserverException for a name or setting that is not known, or a value out of range
   */
  public static ObserverSettings of(String name, Map<String, Double> settings) {
    String known = name.replace('-', '_');
    ObserverSettings result = OBSERVERS.get(known);
    if (result == null) {
      throw ObserverNames.unknown(name, OBSERVERS.keySet());
    }
    for (Map.Entry<String, Double> setting : settings.entrySet()) {
      result = result.with(setting.getKey(), setting.getValue());
    }
    return result;
  }

  /** The observer of a name, with its own settings. */
  public static ObserverSettings of(String name) {
    return of(name, Map.of());
  }

  /** The settings that an average over calls, or the compiled form of the reference, would use. */
  private static boolean isWithoutEffect(String key) {
    return key.equals("averaging_constant") || key.equals("chunk_size");
  }

  private ObserverSettings with(String key, double value) {
    if (isWithoutEffect(key)) {
      require(value > 0, key, "a number above 0", value);
      return this;
    }
    if (kind != Kind.MSE) {
      throw ObserverNames.unknownSetting(key, name, "averaging_constant");
    }
    return switch (key) {
      case "maxshrink" -> new ObserverSettings(name, kind, value, patience, grid, norm, expand);
      case "patience" -> {
        require(value == (int) value, key, "a whole number from 0 on", value);
        yield new ObserverSettings(name, kind, maxshrink, (int) value, grid, norm, expand);
      }
      case "grid" -> new ObserverSettings(name, kind, maxshrink, patience, value, norm, expand);
      case "norm" -> new ObserverSettings(name, kind, maxshrink, patience, grid, value, expand);
      case "expand" -> new ObserverSettings(name, kind, maxshrink, patience, grid, norm, value);
      default ->
          throw ObserverNames.unknownSetting(
              key, name, "maxshrink, patience, grid, norm, expand, averaging_constant, chunk_size");
    };
  }

  /** Whether ranges are searched for, and are not those of the weights. */
  public boolean isSearch() {
    return kind != Kind.MINMAX;
  }

  /** Whether a search may end before its last step, so that the whole matrix has to be measured. */
  public boolean isPatient(RangeSearch search) {
    return kind != Kind.MSE || patience >= search.steps();
  }

  /** What the search goes through for weights of a type in a format. */
  public RangeSearch search(FloatType type, CandidateFormat format) {
    if (kind == Kind.EXACT) {
      return RangeSearch.exhaustive(type, format);
    }
    return RangeSearch.of(type, format, maxshrink, grid, norm, expand);
  }

  /**
   * The largest part of a block's largest magnitude that its scale may cut off, as a multiple of
   * what remains: what an error bound has to allow for.
   */
  public double largestCut() {
    double remains =
        kind == Kind.MINMAX ? 1 : Math.max(1 - maxshrink, kind == Kind.MSE ? 1 / grid : 0) * expand;
    return Math.max(0, 1 / remains - 1);
  }
}
