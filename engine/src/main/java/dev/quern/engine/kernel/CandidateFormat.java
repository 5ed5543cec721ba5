package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;

/**
 * What weights are quantized to while an observer tries ranges: a range gives a scale and a zero
 * point, and these give each weight back with its error.
 *
 * <p>Each operation is computed in binary32 and rounded to the weights' type before the next one.
 * Source: compressed-tensors 0.18, {@code calculate_qparams} without a global scale and {@code
 * _quantize_dequantize}, as run on CPU.
 *
 * @param kind the number format and how its scales are made
 * @param bits width of an integer, 2 to 8; the width of the format for the others
 * @param symmetric whether there is no zero point; true for all but integers
 */
public record CandidateFormat(Kind kind, int bits, boolean symmetric) {
  /** Number formats, and how their scales are made. */
  public enum Kind {
    /** Integers from -2^(bits-1) to 2^(bits-1) - 1. */
    INTEGER,
    /** FP8 E4M3, largest 448, saturating. */
    E4M3,
    /** FP4 E2M1, largest 6, saturating; scales stay in the weights' type during a search. */
    E2M1,
    /** FP4 E2M1 with scales that are powers of two. */
    MXFP4,
    /** FP8 E4M3 with scales that are powers of two. */
    MXFP8
  }

  /** FP8 E4M3. */
  public static final CandidateFormat E4M3 = new CandidateFormat(Kind.E4M3, 8, true);

  /** FP4 E2M1, as in NVFP4. */
  public static final CandidateFormat E2M1 = new CandidateFormat(Kind.E2M1, 4, true);

  /** FP4 E2M1 with power-of-two scales. */
  public static final CandidateFormat MXFP4 = new CandidateFormat(Kind.MXFP4, 4, true);

  /** FP8 E4M3 with power-of-two scales. */
  public static final CandidateFormat MXFP8 = new CandidateFormat(Kind.MXFP8, 8, true);

  /** Checks the width. */
  public CandidateFormat {
    if (kind == Kind.INTEGER ? bits < 2 || bits > 8 : !symmetric) {
      throw new IllegalArgumentException(kind + " of " + bits + " bits, symmetric " + symmetric);
    }
  }

  /** Integers of 2 to 8 bits. */
  public static CandidateFormat integer(int bits, boolean symmetric) {
    return new CandidateFormat(Kind.INTEGER, bits, symmetric);
  }

  /** The smallest number that a quotient is clamped to. */
  public float lowest() {
    return switch (kind) {
      case INTEGER -> -1 << (bits - 1);
      case E4M3, MXFP8 -> -448;
      case E2M1, MXFP4 -> -6;
    };
  }

  /** The largest number that a quotient is clamped to. */
  public float highest() {
    return kind == Kind.INTEGER ? -lowest() - 1 : -lowest();
  }

  /** Whether scales are powers of two. */
  public boolean powerOfTwoScales() {
    return kind == Kind.MXFP4 || kind == Kind.MXFP8;
  }

  /** The scale of a range; never zero for a finite range. */
  public float scale(FloatType type, float min, float max) {
    float scale = scaleOrZero(type, min, max);
    return scale != 0 ? scale : powerOfTwoScales() ? 1 : type.epsilon();
  }

  private float scaleOrZero(FloatType type, float min, float max) {
    float low = Math.min(min, 0);
    float high = Math.max(max, 0);
    if (!symmetric) {
      return type.round(type.round(high - low) / (highest() - lowest()));
    }
    float largest = Math.max(Math.abs(low), Math.abs(high));
    return powerOfTwoScales()
        ? powerOfTwoScale(type, largest)
        : type.round(largest / ((highest() - lowest()) / 2));
  }

  /** The exponent goes up from a fraction of 1.75 on, for FP8 as for FP4. */
  private float powerOfTwoScale(FloatType type, float largest) {
    int fraction = Integer.lowestOneBit(type.infinityBits()) - 1;
    int bits = type.encode(largest) + (fraction + 1 >>> 2) & ~fraction;
    if (bits == 0) {
      return type.round(0x1p-127f);
    }
    int exponent = Math.getExponent(type.decode(bits)) - (kind == Kind.MXFP4 ? 2 : 8);
    return type.round((float) Math.scalb(1.0, Math.clamp(exponent, -127, 128)));
  }

  /** The zero point of a range: an integer; 0 when symmetric, and for a range of nothing but 0. */
  public float zeroPoint(FloatType type, float min, float max) {
    if (symmetric) {
      return 0;
    }
    float quotient = type.round(Math.min(min, 0) / scaleOrZero(type, min, max));
    float exact = Math.clamp(type.round(lowest() - quotient), lowest(), highest());
    return (int) Math.rint(exact); // NaN becomes 0
  }

  /** A weight quantized and dequantized again. */
  public float fakeQuantize(FloatType type, float x, float scale, float zeroPoint) {
    float quotient = type.round(type.round(x / scale) + zeroPoint);
    float code = toFormat(Math.clamp(quotient, lowest(), highest()));
    return type.round(type.round(code - zeroPoint) * scale);
  }

  private float toFormat(float clamped) {
    return switch (kind) {
      case INTEGER -> (float) Math.rint(clamped);
      case E4M3, MXFP8 -> Fp8E4M3.decode(Fp8E4M3.encode(clamped));
      case E2M1, MXFP4 -> toE2M1(clamped);
    };
  }

  /** Half to even on the grid 0, 0.5, 1, 1.5, 2, 3, 4, 6. */
  private static float toE2M1(float clamped) {
    float magnitude = Math.abs(clamped);
    float step = magnitude < 2 ? 0.5f : magnitude < 4 ? 1 : 2;
    return (float) Math.rint(clamped / step) * step;
  }
}
