package dev.quern.pipeline.model;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * What transformers computed: {@code input_ids} [samples, tokens], and the logits of some positions
 * at equal distances.
 *
 * @param first position that has logits
 * @param logits [samples][positions][vocabulary]
 */
record GoldenLogits(int[][] ids, int first, float[][][] logits) {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Reads a file; every fourth position from {@code first} on has logits. */
  static GoldenLogits read(Path path, int first) {
    try (SafetensorsFile file = SafetensorsFile.open(path);
        Arena arena = Arena.ofConfined()) {
      TensorInfo idsInfo = file.find("input_ids").orElseThrow();
      MemorySegment idBytes = file.map(idsInfo, 0, idsInfo.bytes(), arena);
      int[][] ids = new int[(int) idsInfo.dim(0)][(int) idsInfo.dim(1)];
      for (int s = 0; s < ids.length; s++) {
        for (int t = 0; t < ids[s].length; t++) {
          ids[s][t] = idBytes.get(INT, 4L * (s * ids[s].length + t));
        }
      }
      TensorInfo info = file.find("logits").orElseThrow();
      MemorySegment bytes = file.map(info, 0, info.bytes(), arena);
      float[][][] logits = new float[(int) info.dim(0)][(int) info.dim(1)][(int) info.dim(2)];
      long at = 0;
      for (float[][] sample : logits) {
        for (float[] position : sample) {
          for (int v = 0; v < position.length; v++) {
            position[v] = FloatType.F32.load(bytes, at);
            at += 4;
          }
        }
      }
      return new GoldenLogits(ids, first, logits);
    }
  }

  /**
   * The largest difference of a logit, divided by the root mean square of its position's logits.
   *
   * @param found logits of every token of a sample
   */
  double error(int sample, float[][] found) {
    double worst = 0;
    for (int i = 0; i < logits[sample].length; i++) {
      float[] expected = logits[sample][i];
      double squares = 0;
      double largest = 0;
      for (int v = 0; v < expected.length; v++) {
        squares += (double) expected[v] * expected[v];
        double difference = Math.abs((double) expected[v] - found[first + 4 * i][v]);
        largest = difference <= largest ? largest : difference; // keeps a NaN
      }
      double error = largest / Math.sqrt(squares / expected.length);
      worst = error <= worst ? worst : error;
    }
    return worst;
  }
}
