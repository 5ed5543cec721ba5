package dev.quern.engine.model;

import java.util.List;

/**
 * Linear layers that read one input, and whose outputs lie side by side: queries, keys and values,
 * or gate and up. Whether a checkpoint stores them fused or single is only the length of this list.
 *
 * @param linears at least one, in the order of their outputs
 */
public record ProjectionSpec(List<LinearSpec> linears) {
  /** Checks that all have the same number of inputs. */
  public ProjectionSpec {
    linears = List.copyOf(linears);
    if (linears.isEmpty()) {
      throw new IllegalArgumentException("a projection of no linear layers");
    }
    LinearSpec first = linears.getFirst();
    for (LinearSpec linear : linears) {
      Checks.require(
          linear.inputs() == first.inputs(),
          linear.name(),
          "the number of inputs",
          "that of " + first.name() + ", " + first.inputs(),
          linear.inputs());
    }
  }

  /** A projection of these. */
  public static ProjectionSpec of(LinearSpec... linears) {
    return new ProjectionSpec(List.of(linears));
  }

  /** Names of the linear layers. */
  public List<String> names() {
    return linears.stream().map(LinearSpec::name).toList();
  }

  /** Columns of the input. */
  public int inputs() {
    return linears.getFirst().inputs();
  }

  /** Columns of all outputs together. */
  public int outputs() {
    return linears.stream().mapToInt(LinearSpec::outputs).sum();
  }
}
