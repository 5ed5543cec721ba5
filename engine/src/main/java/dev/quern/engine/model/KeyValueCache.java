package dev.quern.engine.model;

import dev.quern.engine.linalg.FloatMatrix;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * What attention needs to know of the tokens before: keys and values of every layer, in f32, so
 * that further tokens of a sequence can be run without those that came.
 *
 * <pre>{@code
 * try (KeyValueCache cache = new KeyValueCache(spec, 1000)) {
 *   ... layer(i).forward(workspace, x, observer, cache, i) for all layers, x of the first tokens
 *   ... the same with x of the next token
 * }
 * }</pre>
 *
 * <p>A token's output has the same bits as in a forward pass over the whole sequence, however it is
 * cut. Observers are shown new tokens only.
 *
 * <p>Some rotary embeddings change with the length of the sequence, that of cached keys included
 * ({@link RopeScaling.Dynamic}, {@link RopeScaling.Long}). {@link #continuesTo} tells where; there
 * the sequence must be begun again after {@link #clear}.
 *
 * <p>For one thread.
 */
public final class KeyValueCache implements AutoCloseable {
  private final DecoderSpec spec;
  private final int capacity;
  private final Arena arena = Arena.ofShared();
  private final List<LayerCache> layers;

  /**
   * An empty cache.
   *
   * @param capacity the most tokens
   */
  public KeyValueCache(DecoderSpec spec, int capacity) {
    this.spec = spec;
    this.capacity = capacity;
    layers =
        spec.layers().stream()
            .map(layer -> new LayerCache(layer.attention(), capacity, arena))
            .toList();
  }

  /** Bytes of a cache for so many tokens. */
  public static long bytes(DecoderSpec spec, int capacity) {
    long bytes = 0;
    for (LayerSpec layer : spec.layers()) {
      AttentionSpec attention = layer.attention();
      bytes += 2 * FloatMatrix.bytes(capacity, attention.keyHeads() * attention.headSize());
    }
    return bytes;
  }

  /** The most tokens. */
  public int capacity() {
    return capacity;
  }

  /** Tokens that the first layer has seen; all layers have, between two runs over all of them. */
  public int tokens() {
    return layers.isEmpty() ? 0 : layers.getFirst().tokens();
  }

  /** Whether the sequence can go on to so many tokens with the keys that are here. */
  public boolean continuesTo(int tokens) {
    return tokens <= capacity && sameRotation(tokens(), tokens);
  }

  /**
   * Whether keys have the same rotation in sequences of so many tokens, or one of them is empty.
   */
  public boolean sameRotation(int tokens, int others) {
    return spec.layers().stream()
        .allMatch(layer -> LayerCache.keepsRotation(layer.attention().rope(), tokens, others));
  }

  /** Forgets all tokens. */
  public void clear() {
    layers.forEach(LayerCache::clear);
  }

  LayerCache layer(int index) {
    return layers.get(index);
  }

  @Override
  public void close() {
    arena.close();
  }
}
