package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Fp4Kernels;
import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.MxScales;
import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/**
 * How activations are rounded where a quantized model runs: to codes with scales and back, {@code
 * (code - zeroPoint) * scale}. All arithmetic is binary32: activations, scales and products.
 *
 * <p>The law is that of weights of the same format ({@link IntWeights}, {@link E4M3Weights}, {@link
 * Nvfp4Weights}, {@link MxWeights}) with binary32 in the place of their type. A row that holds a
 * NaN or an infinity becomes NaN.
 *
 * <p>Source: compressed-tensors 0.18, {@code compute_dynamic_scales_and_zp} and {@code
 * fake_quantize}, on binary32 tensors. In half precision the reference rounds every step to that.
 *
 * @param element what codes are
 * @param bits width of an integer; 8 for E4M3, 4 for E2M1
 * @param symmetric whether there are no zero points
 * @param scales where scales come from
 */
public record ActivationRounding(Element element, int bits, boolean symmetric, Scales scales) {
  private static final FloatType F32 = FloatType.F32;

  /** What codes are. */
  public enum Element {
    INT,
    E4M3,
    E2M1
  }

  /** Where scales come from. */
  public sealed interface Scales {
    /** From the range of each group of a row. */
    record OfGroups(int size) implements Scales {}

    /** From the range of each row: a token. */
    record OfRow() implements Scales {}

    /** From the range of all rows together; see {@link ActivationRounding#withRange}. */
    record OfAllRows() implements Scales {}

    /** OCP MX: a power of two from each group of 32. */
    record PowersOfTwo() implements Scales {}

    /** NVFP4: E4M3 from each group of 16, divided by a given scale. */
    record TwoLevels(float global) implements Scales {}

    /**
     * Given, for as many equal parts of a row.
     *
     * @param zeroPoints as many, or none
     */
    record Given(List<Float> scales, List<Float> zeroPoints) implements Scales {
      /** Copies the lists. */
      public Given {
        scales = List.copyOf(scales);
        zeroPoints = List.copyOf(zeroPoints);
        if (scales.isEmpty() || !zeroPoints.isEmpty() && zeroPoints.size() != scales.size()) {
          throw new IllegalArgumentException(
              scales.size() + " scales and " + zeroPoints.size() + " zero points");
        }
      }
    }
  }

  /** Checks that the parts fit each other. */
  public ActivationRounding {
    Objects.requireNonNull(scales);
    boolean right =
        switch (element) {
          case INT -> bits >= 2 && bits <= 8 && !(scales instanceof Scales.TwoLevels);
          case E4M3 -> bits == 8 && symmetric && !(scales instanceof Scales.TwoLevels);
          case E2M1 -> bits == 4 && symmetric;
        };
    boolean given = scales instanceof Scales.Given g && symmetric != g.zeroPoints().isEmpty();
    if (!right || given || element == Element.INT && scales instanceof Scales.PowersOfTwo) {
      throw new IllegalArgumentException(
          element
              + " of "
              + bits
              + (symmetric ? " bits" : " bits with zero points")
              + ", scales "
              + scales);
    }
  }

  /** Elements of a row that share a scale. */
  private int groupSize(int n) {
    return switch (scales) {
      case Scales.OfGroups groups -> groups.size();
      case Scales.OfRow _, Scales.OfAllRows _ -> n;
      case Scales.PowersOfTwo _ -> MxWeights.GROUP_SIZE;
      case Scales.TwoLevels _ -> Nvfp4Scales.GROUP_SIZE;
      case Scales.Given given -> n / given.scales().size();
    };
  }

  /** Whether rows of {@code n} elements can be rounded: groups divide them. */
  public boolean fits(int n) {
    int size = groupSize(n);
    return size > 0 && n % size == 0 && (element != Element.E2M1 || size % 2 == 0);
  }

  /** Whether {@link #withRange} must come first. */
  public boolean needsRange() {
    return scales instanceof Scales.OfAllRows;
  }

  /** The smallest and the largest value of a row; NaN where one is. */
  public static float[] range(Kernels kernels, MemorySegment x, long offset, int n) {
    float[] min = new float[1];
    float[] max = new float[1];
    kernels.integers().range(F32, x, offset, n, n, min, max);
    return new float[] {min[0], max[0]};
  }

  /**
   * The same rounding for rows whose smallest and largest value are these. Where one is not finite,
   * any rounding: the row that it comes from becomes NaN.
   */
  public ActivationRounding withRange(float min, float max) {
    List<Float> zeroPoints = List.of();
    if (!Float.isFinite(min) || !Float.isFinite(max)) {
      return new ActivationRounding(element, bits, true, new Scales.Given(List.of(1f), List.of()));
    }
    float scale =
        switch (element) {
          case INT ->
              symmetric
                  ? IntParameters.symmetricScale(F32, bits, min, max)
                  : IntParameters.asymmetricScale(F32, bits, min, max);
          case E4M3 -> E4M3Weights.scale(F32, min, max);
          case E2M1 ->
              e2m1Scale(F32.encode(Math.max(Math.abs(Math.min(min, 0)), Math.max(max, 0))));
        };
    if (!symmetric) {
      zeroPoints = List.of((float) IntParameters.zeroPoint(F32, bits, min, max));
    }
    return new ActivationRounding(
        element, bits, symmetric, new Scales.Given(List.of(scale), zeroPoints));
  }

  private static float e2m1Scale(int absMaxBits) {
    float scale = F32.decode(absMaxBits) / Fp4E2M1.MAX_VALUE;
    return scale == 0 ? F32.epsilon() : scale;
  }

  /**
   * Rounds a row in place.
   *
   * @param x binary32
   * @param n elements of the row, which {@link #fits}
   * @param codes room for {@code n} bytes
   */
  public void round(Kernels kernels, MemorySegment x, long offset, int n, MemorySegment codes) {
    if (!fits(n) || needsRange()) {
      throw new IllegalArgumentException("a row of " + n + " elements for " + this);
    }
    if (kernels.absMaxBits(F32, x, offset, n) >= F32.infinityBits()) {
      for (int i = 0; i < n; i++) {
        F32.store(x, offset + 4L * i, Float.NaN);
      }
      return;
    }
    int size = groupSize(n);
    switch (element) {
      case INT -> roundIntegers(kernels, x, offset, n, size, codes);
      case E4M3 -> roundE4M3(kernels, x, offset, n, size, codes);
      case E2M1 -> {
        Fp4Kernels fp4 = kernels.fp4();
        float[] s = floatScales(kernels, x, offset, n, size);
        fp4.quantizeE2M1(F32, x, offset, n, size, s, true, codes, 0);
        fp4.dequantizeE2M1(F32, codes, 0, n, size, s, x, offset);
      }
    }
  }

  private void roundIntegers(
      Kernels kernels, MemorySegment x, long offset, int n, int size, MemorySegment codes) {
    int count = n / size;
    IntGroups groups =
        symmetric
            ? IntGroups.symmetric(bits, size, count)
            : IntGroups.asymmetric(bits, size, count);
    if (scales instanceof Scales.Given given) {
      for (int g = 0; g < count; g++) {
        groups.scales()[g] = given.scales().get(g);
        if (!symmetric) {
          groups.zeroPoints()[g] = given.zeroPoints().get(g);
        }
      }
    } else {
      float[] min = new float[count];
      float[] max = new float[count];
      kernels.integers().range(F32, x, offset, n, size, min, max);
      IntParameters.set(F32, min, max, groups);
    }
    kernels.integers().quantize(F32, x, offset, n, groups, codes, 0);
    kernels.integers().dequantize(F32, codes, 0, n, groups, x, offset);
  }

  private void roundE4M3(
      Kernels kernels, MemorySegment x, long offset, int n, int size, MemorySegment codes) {
    float[] s = floatScales(kernels, x, offset, n, size);
    for (int g = 0; g < s.length; g++) {
      long at = offset + 4L * g * size;
      kernels.quantizeE4M3(F32, x, at, size, s[g], codes, 0);
      kernels.dequantizeE4M3(F32, codes, 0, size, s[g], x, at);
    }
  }

  private float[] floatScales(Kernels kernels, MemorySegment x, long offset, int n, int size) {
    float[] result = new float[n / size];
    if (scales instanceof Scales.Given given) {
      for (int g = 0; g < result.length; g++) {
        result[g] = given.scales().get(g);
      }
      return result;
    }
    int[] maxBits = new int[result.length];
    for (int g = 0; g < result.length; g++) {
      maxBits[g] = kernels.absMaxBits(F32, x, offset + 4L * g * size, size);
    }
    for (int g = 0; g < result.length; g++) {
      result[g] = floatScale(maxBits[g]);
    }
    return result;
  }

  private float floatScale(int absMaxBits) {
    boolean fp8 = element == Element.E4M3;
    return switch (scales) {
      case Scales.PowersOfTwo _ ->
          E8M0.decode(
              MxScales.code(
                  F32, absMaxBits, fp8 ? MxScales.E4M3_MAX_EXPONENT : MxScales.E2M1_MAX_EXPONENT));
      case Scales.TwoLevels levels ->
          Nvfp4Scales.scale(Nvfp4Scales.code(F32, levels.global(), absMaxBits), levels.global());
      default -> fp8 ? E4M3Weights.scale(F32, absMaxBits) : e2m1Scale(absMaxBits);
    };
  }
}
