package dev.quern.engine.model;

import dev.quern.engine.linalg.FloatMatrix;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Optional;

/** Keys, normalised and rotated, and values of one layer, of the tokens of one sequence so far. */
final class LayerCache {
  private final AttentionSpec spec;
  private final FloatMatrix keys;
  private final FloatMatrix values;
  private int tokens;

  LayerCache(AttentionSpec spec, int capacity, Arena arena) {
    this.spec = spec;
    int columns = spec.keyHeads() * spec.headSize();
    keys = FloatMatrix.allocate(arena, capacity, columns);
    values = FloatMatrix.allocate(arena, capacity, columns);
  }

  int tokens() {
    return tokens;
  }

  void clear() {
    tokens = 0;
  }

  /**
   * Whether keys of a sequence of {@code cached} tokens have the rotation that they have in one of
   * {@code all} tokens.
   */
  static boolean keepsRotation(Optional<RopeSpec> rope, int cached, int all) {
    return rope.isEmpty()
        || cached == 0
        || Arrays.equals(rope.get().frequencies(cached), rope.get().frequencies(all));
  }

  /** Takes the keys and values of further tokens. */
  void append(FloatMatrix moreKeys, FloatMatrix moreValues) {
    int all = tokens + moreKeys.rows();
    Checks.require(
        all <= keys.rows(), spec.name(), "the cached tokens", "at most " + keys.rows(), all);
    Checks.require(
        keepsRotation(spec.rope(), tokens, all),
        spec.name(),
        "the rotation of " + all + " tokens",
        "that of the " + tokens + " cached ones: clear the cache and begin again",
        "another");
    copy(moreKeys, keys);
    copy(moreValues, values);
    tokens = all;
  }

  private void copy(FloatMatrix more, FloatMatrix target) {
    for (int row = 0; row < more.rows(); row++) {
      target
          .data()
          .asSlice(target.offset(tokens + row, 0), 4L * more.columns())
          .copyFrom(more.data().asSlice(more.offset(row, 0), 4L * more.columns()));
    }
  }

  FloatMatrix keys() {
    return keys.view(0, 0, tokens, keys.columns());
  }

  FloatMatrix values() {
    return values.view(0, 0, tokens, values.columns());
  }
}
