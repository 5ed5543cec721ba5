package dev.quern.pipeline;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.quantization.observer.MseObserver;
import dev.quern.engine.quantization.observer.ObserverException;
import dev.quern.engine.quantization.observer.ObserverSettings;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.json.Json;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The observer that a scheme names for its weights.
 *
 * <p>A configuration may name one that this version does not have, since checkpoints of others are
 * verified, too; {@link #require} is for those that are to be made.
 */
final class WeightObserver {
  /** What an observer that is not known may cut off: imatrix_mse goes down to a twentieth. */
  private static final double LARGEST_CUT = 19;

  private final Optional<ObserverSettings> settings;
  private final CandidateFormat format;

  private WeightObserver(Optional<ObserverSettings> settings, CandidateFormat format) {
    this.settings = settings;
    this.format = format;
  }

  /** The observer {@code memoryless_minmax}. */
  static WeightObserver minMax() {
    ObserverSettings none = ObserverSettings.of("memoryless_minmax");
    return new WeightObserver(Optional.of(none), CandidateFormat.E4M3);
  }

  /** The observer of weights that have a codec. */
  static WeightObserver of(QuantizationArgs weights) {
    Optional<ObserverSettings> settings;
    try {
      settings = Optional.of(settings(weights));
    } catch (ObserverException e) {
      settings = Optional.empty();
    }
    return new WeightObserver(settings, format(weights));
  }

  /**
   * Refuses an observer that this version does not have.
   *
   * @param where the place of the request
   * @throws QuernException with what to use instead
   */
  static void require(String where, QuantizationArgs weights) {
    try {
      ObserverSettings settings = settings(weights);
      boolean search = settings.isSearch();
      if (search && weights.strategy() == QuantizationStrategy.TENSOR) {
        throw new QuernException(
            QuernException.Kind.REQUEST,
            where + ", observer",
            "a search for one range of a whole matrix is not possible in this version, found "
                + weights.observer().orElse("none")
                + " with strategy tensor",
            "Use memoryless_minmax, or strategy channel.");
      }
    } catch (ObserverException e) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          where + ", " + e.key(),
          "expected " + e.expected() + ", found " + e.found(),
          e.remedy() + ".");
    }
  }

  private static ObserverSettings settings(QuantizationArgs weights) {
    Map<String, Double> numbers = new HashMap<>();
    for (Map.Entry<String, Json> entry : weights.observerKwargs().members().entrySet()) {
      double value = entry.getValue() instanceof Json.Num n ? n.doubleValue() : Double.NaN;
      numbers.put(entry.getKey(), value);
    }
    return ObserverSettings.of(weights.observer().orElse("memoryless_minmax"), numbers);
  }

  private static CandidateFormat format(QuantizationArgs weights) {
    if (weights.type() == QuantizationType.INT) {
      return CandidateFormat.integer(weights.numBits(), weights.symmetric());
    }
    if (weights.numBits() == 4) {
      return weights.isMicroscaling() ? CandidateFormat.MXFP4 : CandidateFormat.E2M1;
    }
    return weights.isMicroscaling() ? CandidateFormat.MXFP8 : CandidateFormat.E4M3;
  }

  /** Whether ranges are searched for; if not, they are those of the weights. */
  boolean isSearch() {
    return settings.isPresent() && settings.get().isSearch();
  }

  /**
   * Ranges that are tried for each block and gain from vectors: none but those of bf16 have any. 1
   * where there are none.
   */
  int steps(FloatType type) {
    return type == FloatType.BF16 && isSearch() ? settings.get().search(type, format).steps() : 1;
  }

  /** What kernels keep in memory for the search, beside what each piece of work needs. */
  long memoryBytes(FloatType type, Kernels kernels, int threads) {
    return isSearch()
        ? kernels.rangeSearch().memoryBytes(settings.get().search(type, format), threads)
        : 0;
  }

  /** The observer, where it needs to know nothing of the whole matrix. */
  Optional<RangeObserver> atOnce(FloatType type) {
    if (!isSearch()) {
      return Optional.empty();
    }
    RangeSearch search = settings.get().search(type, format);
    return settings.get().isPatient(search)
        ? Optional.of(new MseObserver(search, search.steps()))
        : Optional.empty();
  }

  /**
   * What has to be known of the whole matrix before it can be searched; empty where nothing is.
   *
   * @param codec makes the codec that knows
   */
  Optional<Measurement> measurement(
      FloatType type, ScaleGrid grid, Function<RangeObserver, WeightCodec> codec) {
    return isSearch() && atOnce(type).isEmpty()
        ? Optional.of(
            new ObserverMeasurement(
                settings.get().search(type, format), settings.get().patience(), grid, codec))
        : Optional.empty();
  }

  /** See {@link ObserverSettings#largestCut}. */
  double largestCut() {
    return settings.map(ObserverSettings::largestCut).orElse(LARGEST_CUT);
  }
}
