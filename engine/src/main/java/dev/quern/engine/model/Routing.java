package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.linalg.FloatMatrix;
import java.util.Arrays;

/** Which tokens go to which expert, ascending, and with which weights. */
final class Routing {
  private final int[][] tokens;
  private final float[][] weights;
  private final int[] counts;

  private Routing(int experts) {
    tokens = new int[experts][4];
    weights = new float[experts][4];
    counts = new int[experts];
  }

  /**
   * @param logits [tokens, experts]; overwritten
   */
  static Routing of(DecoderKernels kernels, FloatMatrix logits, int topK, boolean normalised) {
    int experts = logits.columns();
    Routing routing = new Routing(experts);
    float[] probabilities = new float[experts];
    for (int token = 0; token < logits.rows(); token++) {
      float sum = kernels.exponentials(logits.data(), logits.offset(token, 0), experts);
      for (int e = 0; e < experts; e++) {
        probabilities[e] = logits.get(token, e) / sum;
      }
      routing.choose(token, probabilities, topK, normalised);
    }
    return routing;
  }

  private void choose(int token, float[] probabilities, int topK, boolean normalised) {
    int[] chosen = new int[topK];
    float[] values = new float[topK];
    float sum = 0;
    for (int k = 0; k < topK; k++) {
      int best = -1;
      for (int e = 0; e < probabilities.length; e++) {
        // A NaN is never larger; the first expert left is taken then, so that each token has topK.
        if (probabilities[e] != -1 && (best < 0 || probabilities[e] > probabilities[best])) {
          best = e;
        }
      }
      chosen[k] = best;
      values[k] = probabilities[best];
      sum += values[k];
      probabilities[best] = -1; // taken
    }
    for (int k = 0; k < topK; k++) {
      add(chosen[k], token, normalised ? values[k] / sum : values[k]);
    }
  }

  private void add(int expert, int token, float weight) {
    int n = counts[expert]++;
    if (n == tokens[expert].length) {
      tokens[expert] = Arrays.copyOf(tokens[expert], 2 * n);
      weights[expert] = Arrays.copyOf(weights[expert], 2 * n);
    }
    tokens[expert][n] = token;
    weights[expert][n] = weight;
  }

  int[] tokens(int expert) {
    return Arrays.copyOf(tokens[expert], counts[expert]);
  }

  float[] weights(int expert) {
    return Arrays.copyOf(weights[expert], counts[expert]);
  }
}
