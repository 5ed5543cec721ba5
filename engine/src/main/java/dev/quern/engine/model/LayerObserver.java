package dev.quern.engine.model;

import dev.quern.engine.linalg.FloatMatrix;
import java.util.List;

/**
 * Is shown what goes through a layer: for Hessians, largest magnitudes, statistics of the cache.
 *
 * <p>Each matrix has a row for a token, and is valid during the call only. What is written to it is
 * what the layer goes on with, so an observer may also simulate quantized activations; one that
 * only measures must not write. Calls come one at a time, on the thread that called {@code
 * forward}, in an order that depends on the layer alone.
 */
public interface LayerObserver {
  /** Sees nothing. */
  LayerObserver NONE = new LayerObserver() {};

  /**
   * Whether these modules, which read one input, may be shown it in one call. Otherwise each is
   * shown a copy of its own, and goes on with that: for observers that change it for each in
   * another way.
   *
   * @param linears at least two
   */
  default boolean together(List<String> linears) {
    return true;
  }

  /**
   * The input of linear layers.
   *
   * @param linears full names of the modules that read it: q, k and v in one call, gate and up in
   *     one
   * @param input [tokens, inputs]; for an expert the tokens that chose it, of which there is one at
   *     least: an expert that none chose has no call
   */
  default void input(List<String> linears, FloatMatrix input) {}

  /**
   * Queries after normalisation and rotation, before they are scaled.
   *
   * @param attention full name of the module
   * @param queries [tokens, heads * headSize]
   */
  default void queries(String attention, FloatMatrix queries) {}

  /**
   * What a key cache would hold: keys after normalisation and rotation.
   *
   * @param attention full name of the module, such as {@code model.layers.0.self_attn}
   * @param keys [tokens, keyHeads * headSize]
   */
  default void keys(String attention, FloatMatrix keys) {}

  /** What a value cache would hold; as {@link #keys}. */
  default void values(String attention, FloatMatrix values) {}
}
