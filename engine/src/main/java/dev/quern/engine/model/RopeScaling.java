package dev.quern.engine.model;

import java.util.List;
import java.util.OptionalDouble;

/** How the frequencies of a rotary embedding differ from those of the first paper. */
public sealed interface RopeScaling {
  /** As they are. */
  record None() implements RopeScaling {}

  /** All divided by a factor. Source: kaiokendev, 2023. */
  record Linear(double factor) implements RopeScaling {}

  /**
   * NTK-aware: a larger base for sequences of more than {@code maxPositions} tokens; such a
   * sequence has frequencies of its own. Source: bloc97 and emozilla, 2023.
   */
  record Dynamic(double factor, int maxPositions) implements RopeScaling {}

  /**
   * YaRN: high frequencies as they are, low ones divided by the factor, a ramp between them, and
   * queries and keys scaled. Source: Peng et al., YaRN, 2023.
   *
   * @param originalPositions what the model was trained on first
   * @param betaFast rotations over these positions from which on frequencies stay
   * @param betaSlow rotations up to which they are divided
   * @param truncate whether the ends of the ramp are whole numbers
   * @param attentionFactor what cosines and sines are multiplied with
   */
  record Yarn(
      double factor,
      double originalPositions,
      double betaFast,
      double betaSlow,
      boolean truncate,
      double attentionFactor)
      implements RopeScaling {
    /** What cosines and sines are multiplied with when a configuration does not say it. */
    public static double attentionFactor(
        double factor, OptionalDouble mscale, OptionalDouble mscaleAllDim) {
      double numerator = mscale.orElse(0);
      double denominator = mscaleAllDim.orElse(0);
      return numerator != 0 && denominator != 0
          ? magnitude(factor, numerator) / magnitude(factor, denominator)
          : magnitude(factor, 1);
    }

    private static double magnitude(double factor, double mscale) {
      return factor <= 1 ? 1 : 0.1 * mscale * StrictMath.log(factor) + 1;
    }
  }

  /** Llama 3.1: long waves divided by the factor, short ones as they are, a ramp between them. */
  record Llama3(double factor, double lowFactor, double highFactor, double originalPositions)
      implements RopeScaling {}

  /**
   * LongRoPE: a divisor for each frequency, others for sequences of more than {@code
   * originalPositions} tokens. Source: Ding et al., LongRoPE, 2024.
   *
   * @param attentionFactor what cosines and sines are multiplied with
   */
  record Long(
      List<Double> shortFactors,
      List<Double> longFactors,
      int originalPositions,
      double attentionFactor)
      implements RopeScaling {
    /** Copies the lists. */
    public Long {
      shortFactors = List.copyOf(shortFactors);
      longFactors = List.copyOf(longFactors);
    }
  }
}
