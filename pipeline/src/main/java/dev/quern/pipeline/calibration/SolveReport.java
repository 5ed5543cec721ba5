package dev.quern.pipeline.calibration;

import java.util.List;

/**
 * What a solver did.
 *
 * @param modules those that were solved as one matrix
 * @param loss half of what the change of the weights costs, with the Hessian {@code 2 / samples Σ x
 *     xᵀ}: the reference logs the same
 * @param dampening what was added to the Hessian's diagonal, in units of its mean; more than was
 *     asked for when the Hessian would not be factored otherwise
 * @param rounded whether nothing went through the modules, and they were rounded to nearest instead
 */
public record SolveReport(List<String> modules, double loss, float dampening, boolean rounded) {
  /** Copies the list. */
  public SolveReport {
    modules = List.copyOf(modules);
  }
}
