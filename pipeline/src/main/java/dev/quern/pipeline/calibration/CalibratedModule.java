package dev.quern.pipeline.calibration;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.compressedtensors.DynamicType;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.recipe.SolverChoice;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceWeight;
import java.util.List;

/**
 * A linear layer that needs data: its codes are solved, or scales of its inputs are stored.
 *
 * @param name the module's full name
 * @param weight its matrix
 * @param scheme how it is quantized
 * @param solver how its codes are found
 * @param outputs all tensors that take its weight's place, scales of inputs included
 */
public record CalibratedModule(
    String name,
    SourceWeight weight,
    QuantizationScheme scheme,
    SolverChoice solver,
    List<TensorSpec> outputs) {
  /** Copies the list. */
  public CalibratedModule {
    outputs = List.copyOf(outputs);
  }

  /** Whether its codes are found here, too, and not only scales of its inputs. */
  public boolean isSolved() {
    return solver.needsData();
  }

  /** Whether a scale of its inputs is stored. */
  public boolean watchesInput() {
    return watchesInput(scheme);
  }

  /** Whether a scheme stores a scale of inputs, which only data can give. */
  public static boolean watchesInput(QuantizationScheme scheme) {
    return scheme.inputActivations().filter(args -> args.dynamic() != DynamicType.TRUE).isPresent();
  }

  FloatType type() {
    return weight.type();
  }

  int rows() {
    return weight.rows();
  }

  int cols() {
    return weight.cols();
  }

  /** The part of an output's name behind the module's. */
  String parameter(TensorSpec output) {
    return output.name().substring(name.length() + 1);
  }
}
