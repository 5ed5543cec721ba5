package dev.quern.pipeline.calibration;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import java.util.Optional;

/** The ranges of what a cache of keys, or of values, would hold: one, or one for each head. */
final class CacheRanges {
  private final ValueRange[] ranges;
  private final int headSize;

  /**
   * @param heads of keys and values
   */
  CacheRanges(QuantizationArgs args, FloatType type, int heads, int headSize) {
    boolean single = args.strategy() != QuantizationStrategy.ATTN_HEAD;
    Optional<Float> decay = ActivationScales.decay(args);
    this.ranges = new ValueRange[single ? 1 : heads];
    this.headSize = single ? heads * headSize : headSize;
    for (int i = 0; i < ranges.length; i++) {
      ranges[i] = new ValueRange(type, decay);
    }
  }

  /** Adds a sample, [tokens, heads * headSize]. */
  void add(Kernels kernels, FloatMatrix sample) {
    for (int i = 0; i < ranges.length; i++) {
      ranges[i].add(kernels, sample.view(0, i * headSize, sample.rows(), headSize));
    }
  }

  ValueRange[] ranges() {
    return ranges;
  }
}
