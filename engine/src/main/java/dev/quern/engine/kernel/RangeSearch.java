package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a search for the best range of a block goes through: from {@code expand} times the observed
 * range downwards in equal steps, the error of each being the sum of {@code |error|^norm}.
 *
 * <p>Immutable, and safe for use by several threads.
 */
public final class RangeSearch {
  private record PowerKey(FloatType type, int normBits) {}

  /** A table for each norm that anybody asked for, which are few: 128 KiB each. */
  private static final Map<PowerKey, float[]> POWERS = new ConcurrentHashMap<>();

  private final FloatType type;
  private final CandidateFormat format;
  private final float expand;
  private final float[] factors;
  private final float[]
      highFactors; // of the upper end; the same array but for a search of both ends
  private final float norm;
  private final float[] powers;
  private final Exhaustive exhaustive; // null for a search by factors

  private RangeSearch(
      FloatType type,
      CandidateFormat format,
      float expand,
      float[] factors,
      float[] highFactors,
      float norm,
      Exhaustive exhaustive) {
    this.exhaustive = exhaustive;
    this.highFactors = highFactors;
    this.type = type;
    this.format = format;
    this.expand = expand;
    this.factors = factors;
    this.norm = norm;
    this.powers =
        type.bytes() == 2
            ? POWERS.computeIfAbsent(
                new PowerKey(type, Float.floatToIntBits(norm)), RangeSearch::table)
            : new float[0];
  }

  /**
   * A search of {@code (int) (maxshrink * grid)} steps; step {@code i} shrinks the range to {@code
   * 1 - i / grid} of where it begins.
   *
   * @param maxshrink from 0 to 1
   * @param grid steps that would shrink to nothing; positive
   * @param norm exponent of the error, positive; it is rounded to {@code type}, as torch does
   * @param expand where the search begins, in units of the observed range; at least 1
   */
  public static RangeSearch of(
      FloatType type,
      CandidateFormat format,
      double maxshrink,
      double grid,
      double norm,
      double expand) {
    float[] factors = new float[(int) (maxshrink * grid)];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) (1 - i / grid);
    }
    float rounded = type.round((float) norm);
    return new RangeSearch(type, format, (float) expand, factors, factors, rounded, null);
  }

  /**
   * A search for the least sum of squared errors.
   *
   * <p>Symmetric formats: all ranges of {@code type} that are about 1.25 to 0.22 times the observed
   * one. Of binary32, whose ranges are too many, 1,024 a binade, and those of {@link #of} with 20
   * steps of 1%. Where scales are powers of two, the ranges for one more and for two less than the
   * observed: a larger scale has no value that is nearer, and a smaller one cuts the largest weight
   * to less than half.
   *
   * <p>With a zero point: those of {@link #of} with 20 steps of 1%, and all pairs of ends that are
   * shrunk by 0 to 9 times 4%.
   */
  public static RangeSearch exhaustive(FloatType type, CandidateFormat format) {
    RangeSearch mse = of(type, format, 0.2, 100, 2, 1);
    if (!format.symmetric()) {
      return ofBothEnds(mse);
    }
    int perBinade = format.powerOfTwoScales() ? 1 : type == FloatType.BF16 ? 128 : 1024;
    int above = Math.max(1, perBinade * ABOVE_PERCENT / 100);
    int steps = above + 1 + perBinade * BINADES_BELOW;
    int stride = Integer.lowestOneBit(type.infinityBits()) / perBinade;
    boolean sparse = type == FloatType.F32 && !format.powerOfTwoScales();
    float[] factors = sparse ? mse.factors : new float[0];
    return new RangeSearch(
        type, format, 1, factors, factors, mse.norm, new Exhaustive(steps, above, stride));
  }

  private static RangeSearch ofBothEnds(RangeSearch mse) {
    int before = mse.factors.length;
    float[] low = Arrays.copyOf(mse.factors, before + END_STEPS * END_STEPS);
    float[] high = low.clone();
    for (int i = 0; i < END_STEPS * END_STEPS; i++) {
      low[before + i] = (float) (1 - i / END_STEPS * END_SHRINK);
      high[before + i] = (float) (1 - i % END_STEPS * END_SHRINK);
    }
    return new RangeSearch(mse.type, mse.format, 1, low, high, mse.norm, new Exhaustive(0, 0, 0));
  }

  /**
   * Ranges by bit pattern: {@code steps} of them, from {@code above} strides above the observed.
   */
  private record Exhaustive(int steps, int above, int stride) {}

  private static final int END_STEPS = 10;
  private static final double END_SHRINK = 0.04;
  private static final int ABOVE_PERCENT = 33; // of a binade: a quarter above the observed range
  private static final int BINADES_BELOW = 2;

  /** Whether the error is the sum of squares, and not of rounded powers. */
  public boolean isLeastSquares() {
    return exhaustive != null;
  }

  /** Type of the weights. */
  public FloatType type() {
    return type;
  }

  /** What the weights are quantized to. */
  public CandidateFormat format() {
    return format;
  }

  /** Number of steps. */
  public int steps() {
    return factors.length + (exhaustive == null ? 0 : exhaustive.steps);
  }

  /**
   * An end of the range where the search begins: {@code R(observed * expand)}, or the observed one
   * where that would be infinite.
   */
  public float begin(float observed) {
    float expanded = type.round(observed * expand);
    return Float.isFinite(expanded) ? expanded : observed;
  }

  /** The lower end of the range of a step, from that of the range where the search begins. */
  public float low(float begin, int step) {
    return shrink(begin, step);
  }

  /** The upper end of the range of a step, from that of the range where the search begins. */
  public float high(float begin, int step) {
    return highFactors == factors ? shrink(begin, step) : type.round(begin * highFactors[step]);
  }

  /** What a step makes of the magnitude of a symmetric range, or of a lower end. */
  public float shrink(float begin, int step) {
    if (exhaustive == null || begin == 0) {
      return exhaustive == null ? type.round(begin * factors[step]) : 0;
    }
    if (step >= exhaustive.steps) {
      return type.round(begin * factors[step - exhaustive.steps]);
    }
    int bits = type.encode(Math.abs(begin)) + (exhaustive.above - step) * exhaustive.stride;
    float magnitude = type.decode(Math.clamp(bits, 1, type.infinityBits()));
    return Math.copySign(magnitude, begin);
  }

  /** The factor of each step. Not to be changed. */
  public float[] factors() {
    return factors;
  }

  /**
   * {@code magnitude^norm}, rounded to {@code type}.
   *
   * @param magnitude a value of {@code type} that is not negative
   */
  public float power(float magnitude) {
    return powers.length == 0 ? power(type, magnitude, norm) : powers[type.encode(magnitude)];
  }

  /** The powers of all magnitudes, by bit pattern; empty for binary32. Not to be changed. */
  public float[] powers() {
    return powers;
  }

  /** The exponent, rounded. */
  public float norm() {
    return norm;
  }

  private static float[] table(PowerKey key) {
    float[] powers = new float[0x8000];
    for (int bits = 0; bits < powers.length; bits++) {
      powers[bits] = power(key.type, key.type.decode(bits), Float.intBitsToFloat(key.normBits));
    }
    return powers;
  }

  /** The exponents that torch does not send to its power function are products and a root. */
  private static float power(FloatType type, float x, float norm) {
    if (norm == 0.5f) {
      return type.round((float) Math.sqrt(x));
    }
    if (norm == 1) {
      return x;
    }
    if (norm == 2) {
      return type.round(x * x);
    }
    if (norm == 3) {
      // The vector type of bf16 rounds after each product, that of f16 at the end.
      return type.round((type == FloatType.BF16 ? type.round(x * x) : x * x) * x);
    }
    return type.round(Powf.pow(x, norm));
  }

  /** Whether the other tries the same ranges with the same errors. */
  @Override
  public boolean equals(Object other) {
    return other instanceof RangeSearch that
        && type == that.type
        && format.equals(that.format)
        && Float.compare(expand, that.expand) == 0
        && Float.compare(norm, that.norm) == 0
        && Arrays.equals(factors, that.factors)
        && Arrays.equals(highFactors, that.highFactors)
        && Objects.equals(exhaustive, that.exhaustive);
  }

  @Override
  public int hashCode() {
    return Objects.hash(type, format, expand, norm, Arrays.hashCode(factors), exhaustive);
  }
}
