package dev.quern.pipeline.calibration;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.numeric.FloatType;
import java.util.Optional;

/**
 * The range of the values that calibration saw, sample after sample.
 *
 * <p>Without a decay it is the smallest and the largest of all: {@code static_minmax}. With one it
 * follows the samples, {@code range * (1 - c) + sample * c}, each product and sum rounded to the
 * model's type: {@code minmax}. Samples, too, are rounded to that type first, since the reference's
 * activations have it.
 *
 * <p>Source: llm-compressor (2026-08), {@code observers/min_max.py}.
 */
final class ValueRange {
  private final FloatType type;
  private final Optional<Float> decay;
  private float min;
  private float max;
  private long samples;

  /**
   * @param type of the model
   * @param decay the averaging constant c; empty for none
   */
  ValueRange(FloatType type, Optional<Float> decay) {
    this.type = type;
    this.decay = decay;
  }

  /** Adds one sample's values. */
  void add(Kernels kernels, FloatMatrix values) {
    if (values.rows() == 0) {
      return;
    }
    float[] rowMin = new float[1];
    float[] rowMax = new float[1];
    float low = Float.POSITIVE_INFINITY;
    float high = Float.NEGATIVE_INFINITY;
    for (int row = 0; row < values.rows(); row++) {
      int n = values.columns();
      kernels
          .integers()
          .range(FloatType.F32, values.data(), values.offset(row, 0), n, n, rowMin, rowMax);
      low = Math.min(low, rowMin[0]); // these keep NaN
      high = Math.max(high, rowMax[0]);
    }
    add(type.round(low), type.round(high));
  }

  private void add(float low, float high) {
    if (samples == 0) {
      min = low;
      max = high;
    } else if (decay.isPresent()) {
      min = follow(min, low);
      max = follow(max, high);
    } else {
      min = Math.min(min, low);
      max = Math.max(max, high);
    }
    samples++;
  }

  private float follow(float before, float now) {
    float c = decay.orElseThrow();
    return type.round(type.round(before * (1 - c)) + type.round(now * c));
  }

  /** Widens this range to another one's. */
  void include(ValueRange other) {
    if (other.samples > 0) {
      min = samples == 0 ? other.min : Math.min(min, other.min);
      max = samples == 0 ? other.max : Math.max(max, other.max);
      samples += other.samples;
    }
  }

  /** Whether no value was seen. */
  boolean isEmpty() {
    return samples == 0;
  }

  /** Whether all values were finite, and none beyond the model's type. */
  boolean isFinite() {
    return Float.isFinite(min) && Float.isFinite(max);
  }

  float min() {
    return min;
  }

  float max() {
    return max;
  }
}
