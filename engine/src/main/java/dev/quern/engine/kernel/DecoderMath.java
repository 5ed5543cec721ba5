package dev.quern.engine.kernel;

import dev.quern.engine.annotation.SuppressForbidden;

/**
 * The laws of the functions that a decoder needs: binary32, a fixed sequence of operations, so that
 * every machine and every vector width gives the same bits.
 */
public final class DecoderMath {
  /** {@code 1 / ln(2)}. */
  public static final float LOG2_E = 1.442695040888963407359924681001892137426645954f;

  /** The upper part of ln(2), with zeros behind it, so that products with integers are exact. */
  public static final float LN2_UPPER = 0.693145751953125f;

  /** The rest of ln(2). */
  public static final float LN2_LOWER = 1.428606765330187045e-06f;

  /** 1.5 times 2^23: added, it leaves the nearest integer in the lowest bits. */
  public static final float INTEGER_MAGIC = 0x1.8p23f;

  /** From here to both sides, {@code exp} is 0 or infinite. */
  public static final float EXP_RANGE = 104;

  /** Below it tanh is a polynomial, above it a quotient of exponentials. */
  public static final float TANH_SMALL = 0.625f;

  /** {@code sqrt(2 / pi)}. */
  public static final float GELU_FACTOR = 0.7978845608028654f;

  /** The other constant of the approximation of GELU. */
  public static final float GELU_CUBE = 0.044715f;

  private DecoderMath() {}

  /**
   * {@code e^x}, within 1.1 units in the last place for normal results; 0 below -104, infinity
   * above 104.
   *
   * <p>{@code x = q ln 2 + r} with the nearest integer q; the exponential of r is a polynomial, and
   * two multiplications by powers of two do the rest. Source: {@code expf} of SLEEF 3.8 (Naoki
   * Shibata and contributors, Boost Software License 1.0), its bound of 1.0 being that of its
   * authors.
   */
  public static float exp(float x) {
    float shifted = x * LOG2_E + INTEGER_MAGIC;
    int q = Float.floatToRawIntBits(shifted) - Float.floatToRawIntBits(INTEGER_MAGIC);
    float k = shifted - INTEGER_MAGIC;
    float r = fma(k, -LN2_LOWER, fma(k, -LN2_UPPER, x));
    float u = 0.000198527617612853646278381f;
    u = fma(u, r, 0.00139304355252534151077271f);
    u = fma(u, r, 0.00833336077630519866943359f);
    u = fma(u, r, 0.0416664853692054748535156f);
    u = fma(u, r, 0.166666671633720397949219f);
    u = fma(u, r, 0.5f);
    float y = 1 + fma(r * r, u, r);
    int half = q >> 1;
    float result = y * powerOfTwo(half) * powerOfTwo(q - half);
    result = x < -EXP_RANGE ? 0 : result;
    return x > EXP_RANGE ? Float.POSITIVE_INFINITY : result;
  }

  private static float powerOfTwo(int exponent) {
    return Float.intBitsToFloat((exponent + 127) << 23);
  }

  /**
   * {@code tanh x}: a polynomial for small arguments (Cephes, {@code tanhf}, Stephen Moshier), else
   * {@code 1 - 2 / (exp(2 |x|) + 1)} with the sign of x.
   */
  public static float tanh(float x) {
    float z = x * x;
    float p = -5.70498872745e-3f;
    p = fma(p, z, 2.06390887954e-2f);
    p = fma(p, z, -5.37397155531e-2f);
    p = fma(p, z, 1.33314422036e-1f);
    p = fma(p, z, -3.33332819422e-1f);
    float small = fma(p * z, x, x);
    float magnitude = Math.abs(x);
    float large = 1 - 2 / (exp(magnitude + magnitude) + 1);
    large = x < 0 ? -large : large;
    return magnitude < TANH_SMALL ? small : large;
  }

  /** {@code x / (1 + exp(-x))}. */
  public static float silu(float x) {
    return x / (1 + exp(-x));
  }

  /** {@code 1 / (1 + exp(-x))}. */
  public static float sigmoid(float x) {
    return 1 / (1 + exp(-x));
  }

  /** What tanh is taken of in the approximation of GELU. */
  public static float geluArgument(float x) {
    return GELU_FACTOR * (x + GELU_CUBE * (x * x * x));
  }

  /** GELU, approximated with tanh. */
  public static float geluTanh(float x) {
    return 0.5f * x * (1 + tanh(geluArgument(x)));
  }

  @SuppressForbidden(reason = "the law; exact everywhere, and fast on every CPU we run on")
  private static float fma(float a, float b, float c) {
    return Math.fma(a, b, c);
  }
}
