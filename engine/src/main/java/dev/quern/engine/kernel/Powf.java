package dev.quern.engine.kernel;

import dev.quern.engine.annotation.SuppressForbidden;

/**
 * {@code x^y} in binary32 for {@code x >= 0}, bit for bit as PyTorch's vectorised {@code pow}
 * computes it on a CPU with AVX2 or AVX-512.
 *
 * <p>PyTorch calls SLEEF's {@code Sleef_powf8_u10}: a logarithm and an exponential in pairs of
 * binary32 numbers, whose error is below 1 unit in the last place but which is not correctly
 * rounded (1.8% of results differ from the nearest number). So the steps have to be the same ones.
 * This is a rewriting of {@code logkf}, {@code expkf} and {@code xpowf} of SLEEF 3.8 (Naoki Shibata
 * and contributors, Boost Software License 1.0), for the variant with fused multiply-add.
 *
 * <pre>
 *   x = m * 2^e with m in [0.75, 1.5)
 *   log x = e * ln 2 + 2 * atanh((m - 1) / (m + 1))        pairs (hi, lo), as are those below
 *   x^y   = exp(y * log x) = 2^q * exp(r) with |r| at most ln(2) / 2
 * </pre>
 *
 * <p>A fused multiply-add is exact in Java on any machine, only slow on CPUs without one.
 */
final class Powf {
  private static final float LN2_HI = 0.69314718246459960938f;
  private static final float LN2_LO = -1.904654323148236017e-09f;
  private static final float LOG2_E = 1.442695040888963407359924681001892137426645954f;
  private static final float NEGATIVE_LN2_UPPER = -0.693145751953125f;
  private static final float NEGATIVE_LN2_LOWER = -1.428606765330187045e-06f;
  private static final float TWO_THIRDS_HI = 0.66666662693023681640625f;
  private static final float TWO_THIRDS_LO = 3.69183861259614332084311e-09f;
  private static final float UNDERFLOW = -104;

  private Powf() {}

  /**
   * The power.
   *
   * @param x not negative; NaN gives NaN
   * @param y positive and finite
   */
  static float pow(float x, float y) {
    if (x == 0 || x == 1 || !(x < Float.POSITIVE_INFINITY)) {
      return x;
    }
    boolean subnormal = x < Float.MIN_NORMAL;
    float d = subnormal ? x * 0x1p64f : x;
    int e = (Float.floatToRawIntBits(d * (1.0f / 0.75f)) >>> 23) - 127;
    float m = Float.intBitsToFloat(Float.floatToRawIntBits(d) - (e << 23));
    return exp(log(m, subnormal ? e - 64 : e), y);
  }

  /** Both halves of a pair in the halves of a long: no object in the innermost loop. */
  private static long pair(float hi, float lo) {
    return (long) Float.floatToRawIntBits(hi) << 32 | Float.floatToRawIntBits(lo) & 0xFFFF_FFFFL;
  }

  /** {@code log(m * 2^e)} as a pair. */
  private static long log(float m, float e) {
    float nHi = -1 + m;
    float v = nHi + 1;
    float nLo = (-1 - (nHi - v)) + (m - v);
    float dHi = 1 + m;
    v = dHi - 1;
    float dLo = (1 - (dHi - v)) + (m - v);

    float reciprocal = 1 / dHi;
    float xHi = nHi * reciprocal;
    float u = fma(reciprocal, nHi, -xHi);
    v = fma(-dLo, reciprocal, fma(-dHi, reciprocal, 1));
    final float xLo = fma(xHi, v, fma(nLo, reciprocal, u));

    float x2Hi = xHi * xHi;
    float x2Lo = fma(xHi + xHi, xLo, fma(xHi, xHi, -x2Hi));
    float t = 0.240320354700088500976562f;
    t = fma(t, x2Hi, 0.285112679004669189453125f);
    t = fma(t, x2Hi, 0.400007992982864379882812f);

    float eHi = LN2_HI * e;
    float eLo = fma(LN2_LO, e, fma(LN2_HI, e, -eHi));
    float sHi = eHi + xHi * 2;
    final float sLo = (((eHi - sHi) + xHi * 2) + eLo) + xLo * 2;

    float x3Hi = x2Hi * xHi;
    float x3Lo = fma(x2Hi, xLo, fma(x2Lo, xHi, fma(x2Hi, xHi, -x3Hi)));
    float tHi = x2Hi * t;
    float tLo = fma(x2Lo, t, fma(x2Hi, t, -tHi));
    float cHi = tHi + TWO_THIRDS_HI;
    v = cHi - tHi;
    float cLo = ((tHi - (cHi - v)) + (TWO_THIRDS_HI - v)) + (tLo + TWO_THIRDS_LO);
    float pHi = x3Hi * cHi;
    float pLo = fma(x3Hi, cLo, fma(x3Lo, cHi, fma(x3Hi, cHi, -pHi)));

    float hi = sHi + pHi;
    return pair(hi, (((sHi - hi) + pHi) + sLo) + pLo);
  }

  /** {@code exp(y * log)}. */
  private static float exp(long log, float y) {
    float logHi = Float.intBitsToFloat((int) (log >> 32));
    float logLo = Float.intBitsToFloat((int) log);
    float dHi = logHi * y;
    float dLo = fma(logLo, y, fma(logHi, y, -dHi));
    if (dHi < UNDERFLOW) {
      return 0;
    }
    int q = (int) Math.rint((dHi + dLo) * LOG2_E);
    float upper = q * NEGATIVE_LN2_UPPER;
    float aHi = dHi + upper;
    float v = aHi - dHi;
    final float aLo = ((dHi - (aHi - v)) + (upper - v)) + dLo;
    float lower = q * NEGATIVE_LN2_LOWER;
    float bHi = aHi + lower;
    v = bHi - aHi;
    float bLo = ((aHi - (bHi - v)) + (lower - v)) + aLo;
    float rHi = bHi + bLo;
    float rLo = (bHi - rHi) + bLo;

    float u = 0.00136324646882712841033936f;
    u = fma(u, rHi, 0.00836596917361021041870117f);
    u = fma(u, rHi, 0.0416710823774337768554688f);
    u = fma(u, rHi, 0.166665524244308471679688f);
    u = fma(u, rHi, 0.499999850988388061523438f);
    float r2Hi = rHi * rHi;
    float r2Lo = fma(rHi + rHi, rLo, fma(rHi, rHi, -r2Hi));
    float pHi = r2Hi * u;
    float pLo = fma(r2Lo, u, fma(r2Hi, u, -pHi));
    float tHi = rHi + pHi;
    float tLo = (((rHi - tHi) + pHi) + rLo) + pLo;
    float hi = 1 + tHi;
    float result = scale(hi + (((1 - hi) + tHi) + tLo), q);
    return Float.isNaN(result) ? Float.POSITIVE_INFINITY : result;
  }

  /** {@code x * 2^q} by five products, of which more than the last may round. */
  private static float scale(float x, int q) {
    int sign = q >> 31;
    int quarter = (((sign + q) >> 6) - sign) << 4;
    float step = Float.intBitsToFloat(Math.clamp(quarter + 127, 0, 255) << 23);
    float rest = Float.intBitsToFloat((q - (quarter << 2) + 127) << 23);
    return x * step * step * step * step * rest;
  }

  @SuppressForbidden(
      reason = "written bits depend on it; exact everywhere, and each power of half types is kept")
  private static float fma(float a, float b, float c) {
    return Math.fma(a, b, c);
  }
}
