package dev.quern.engine.model;

import java.util.Objects;

/**
 * An RMSNorm.
 *
 * @param name the module's full name; its tensor is {@code NAME.weight}
 * @param epsilon added to the mean square
 * @param plusOne whether the factor is {@code 1 + weight}, as Gemma has it, rounded to f32
 */
public record NormSpec(String name, float epsilon, boolean plusOne) {
  /** Checks that the epsilon is not negative. */
  public NormSpec {
    Objects.requireNonNull(name);
    Checks.require(epsilon >= 0, name, "epsilon", "at least 0", epsilon);
  }
}
