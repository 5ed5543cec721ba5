package dev.quern.engine.model;

import java.util.Objects;

/**
 * A linear layer: {@code y = x Wᵀ + b}.
 *
 * @param name the module's full name; its tensors are {@code NAME.weight}, [outputs, inputs], and
 *     {@code NAME.bias}, [outputs]
 * @param inputs at least 1
 * @param outputs at least 1
 * @param bias whether there is one
 */
public record LinearSpec(String name, int inputs, int outputs, boolean bias) {
  /** Checks the sizes. */
  public LinearSpec {
    Objects.requireNonNull(name);
    Checks.require(inputs > 0, name, "the number of inputs", "at least 1", inputs);
    Checks.require(outputs > 0, name, "the number of outputs", "at least 1", outputs);
  }
}
