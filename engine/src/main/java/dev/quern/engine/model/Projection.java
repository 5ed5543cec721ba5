package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.MatrixOperand;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Linear layers that read one input, with their weights. */
final class Projection {
  private record Linear(MatrixOperand transposed, Optional<MemorySegment> bias) {}

  private final ProjectionSpec spec;
  private final List<String> names;
  private final List<Linear> linears = new ArrayList<>();

  Projection(ProjectionSpec spec, Weights weights) {
    this.spec = spec;
    this.names = spec.names();
    for (LinearSpec linear : spec.linears()) {
      MatrixOperand matrix =
          weights.matrix(linear.name() + ".weight", linear.outputs(), linear.inputs());
      Optional<MemorySegment> bias =
          linear.bias()
              ? Optional.of(Vectors.of(weights.vector(linear.name() + ".bias", linear.outputs())))
              : Optional.empty();
      linears.add(new Linear(matrix.transposed(), bias));
    }
  }

  Projection(LinearSpec linear, Weights weights) {
    this(ProjectionSpec.of(linear), weights);
  }

  int outputs() {
    return spec.outputs();
  }

  /**
   * Shows the input to the observer, which may change it, and computes all outputs, side by side.
   */
  void apply(
      DecoderWorkspace workspace, FloatMatrix input, LayerObserver observer, FloatMatrix output) {
    boolean together = names.size() == 1 || observer.together(names);
    if (together) {
      observer.input(names, input);
    }
    int column = 0;
    for (int i = 0; i < linears.size(); i++) {
      Linear linear = linears.get(i);
      int outputs = spec.linears().get(i).outputs();
      FloatMatrix target = output.view(0, column, input.rows(), outputs);
      FloatMatrix own = input;
      if (!together) {
        own = workspace.copy(DecoderWorkspace.Slot.OWN_INPUT, input);
        observer.input(List.of(names.get(i)), own);
      }
      Gemm.set(workspace.products(), own.operand(), linear.transposed, target);
      linear.bias.ifPresent(bias -> add(workspace, bias, target));
      column += outputs;
    }
  }

  private static void add(DecoderWorkspace workspace, MemorySegment bias, FloatMatrix target) {
    DecoderKernels kernels = workspace.kernels();
    workspace.rows(
        target.rows(),
        target.columns(),
        row -> kernels.add(bias, 0, target.columns(), 1, target.data(), target.offset(row, 0)));
  }
}
