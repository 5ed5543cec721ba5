package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.util.Map;
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
  private final float norm;
  private final float[] powers;

  private RangeSearch(
      FloatType type, CandidateFormat format, float expand, float[] factors, float norm) {
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
    return new RangeSearch(type, format, (float) expand, factors, type.round((float) norm));
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
    return factors.length;
  }

  /**
   * An end of the range where the search begins: {@code R(observed * expand)}, or the observed one
   * where that would be infinite.
   */
  public float begin(float observed) {
    float expanded = type.round(observed * expand);
    return Float.isFinite(expanded) ? expanded : observed;
  }

  /** An end of the range of a step, from the same end of the range where the search begins. */
  public float shrink(float begin, int step) {
    return type.round(begin * factors[step]);
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
}
