package dev.quern.engine.model;

/**
 * Rotary position embedding: element pairs (i, i + dims / 2) of each head turn by {@code position *
 * frequency[i]}.
 *
 * <p>The law: frequencies are computed in binary64 with {@code StrictMath} and rounded to binary32
 * once; the angle is a product of binary32 numbers, as in transformers; its cosine and sine are
 * those of {@code StrictMath}, times the attention factor, rounded to binary32.
 *
 * <p>Source: Su et al., RoFormer, 2021; transformers 5.18, {@code modeling_rope_utils}.
 *
 * @param theta the base
 * @param dims how many elements of each head turn, from the first on; even
 */
public record RopeSpec(double theta, int dims, RopeScaling scaling) {
  /** Checks sizes. */
  public RopeSpec {
    Checks.require(theta > 0, "rotary embedding", "theta", "positive", theta);
    Checks.require(
        dims > 0 && dims % 2 == 0, "rotary embedding", "the number of dimensions", "even", dims);
    if (scaling instanceof RopeScaling.Long factors) {
      for (int size : new int[] {factors.shortFactors().size(), factors.longFactors().size()}) {
        Checks.require(
            size == dims / 2,
            "rotary embedding",
            "the number of longrope factors",
            "half of the " + dims + " dimensions",
            size);
      }
    }
  }

  /** Frequencies for a sequence of so many tokens, {@code dims / 2} of them. */
  float[] frequencies(int tokens) {
    return switch (scaling) {
      case RopeScaling.None _ -> frequencies(theta, 1);
      case RopeScaling.Linear linear -> frequencies(theta, linear.factor());
      case RopeScaling.Dynamic dynamic -> frequencies(base(dynamic, tokens), 1);
      case RopeScaling.Yarn yarn -> yarn(yarn);
      case RopeScaling.Llama3 llama -> llama3(llama);
      case RopeScaling.Long factors -> {
        boolean isLong = tokens > factors.originalPositions();
        var divisors = isLong ? factors.longFactors() : factors.shortFactors();
        float[] result = new float[dims / 2];
        for (int i = 0; i < result.length; i++) {
          result[i] = (float) (1 / (divisors.get(i) * period(theta, i)));
        }
        yield result;
      }
    };
  }

  /** What cosines and sines are multiplied with. */
  double attentionFactor() {
    return switch (scaling) {
      case RopeScaling.Yarn yarn -> yarn.attentionFactor();
      case RopeScaling.Long factors -> factors.attentionFactor();
      default -> 1;
    };
  }

  private double period(double base, int i) {
    return StrictMath.pow(base, 2.0 * i / dims);
  }

  private float[] frequencies(double base, double divisor) {
    float[] result = new float[dims / 2];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) (1 / period(base, i) / divisor);
    }
    return result;
  }

  private double base(RopeScaling.Dynamic scaling, int tokens) {
    double length = Math.max(tokens, scaling.maxPositions());
    double stretch = scaling.factor() * length / scaling.maxPositions() - (scaling.factor() - 1);
    return theta * StrictMath.pow(stretch, dims / (dims - 2.0));
  }

  private float[] yarn(RopeScaling.Yarn yarn) {
    double low = rampEnd(yarn.betaFast(), yarn.originalPositions());
    double high = rampEnd(yarn.betaSlow(), yarn.originalPositions());
    if (yarn.truncate()) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, dims - 1);
    high = low == high ? high + 0.001 : high;
    float[] result = new float[dims / 2];
    for (int i = 0; i < result.length; i++) {
      double ramp = Math.clamp((i - low) / (high - low), 0.0, 1.0);
      double frequency = 1 / period(theta, i);
      result[i] = (float) (frequency / yarn.factor() * ramp + frequency * (1 - ramp));
    }
    return result;
  }

  /** The dimension that makes so many rotations over so many positions. */
  private double rampEnd(double rotations, double positions) {
    return dims
        * StrictMath.log(positions / (rotations * 2 * Math.PI))
        / (2 * StrictMath.log(theta));
  }

  private float[] llama3(RopeScaling.Llama3 llama) {
    float[] result = new float[dims / 2];
    for (int i = 0; i < result.length; i++) {
      double frequency = 1 / period(theta, i);
      double rotations = llama.originalPositions() * frequency / (2 * Math.PI);
      double smooth =
          Math.clamp(
              (rotations - llama.lowFactor()) / (llama.highFactor() - llama.lowFactor()), 0.0, 1.0);
      result[i] = (float) ((1 - smooth) * frequency / llama.factor() + smooth * frequency);
    }
    return result;
  }
}
