package dev.quern.pipeline;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.recipe.SolverChoice;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.calibration.CalibratedModule;
import java.util.List;
import java.util.Optional;

/**
 * The fate of one tensor of the source model.
 *
 * @param source name, dtype and shape as a plain checkpoint has them
 * @param parts the tensors in the source's files that it is made of; one, equal to {@code source},
 *     unless the source is quantized or fuses its experts
 * @param encoding what the files hold in its place, a few words; empty when they hold the tensor
 *     itself
 * @param module full name of the module that holds it
 * @param reason why this fate, a few words
 * @param rule the rule that decided, as {@code SCHEME:TARGET}; empty when it is copied
 * @param scheme how it is quantized; empty when it is copied
 * @param solver how its codes are found
 * @param outputs what is written in its place: itself, or the parameters of the format
 */
public record TensorPlan(
    TensorSpec source,
    List<SourcePart> parts,
    Optional<String> encoding,
    String module,
    String reason,
    Optional<String> rule,
    Optional<QuantizationScheme> scheme,
    SolverChoice solver,
    List<TensorSpec> outputs) {
  /** Copies the lists. */
  public TensorPlan {
    parts = List.copyOf(parts);
    outputs = List.copyOf(outputs);
  }

  /** A tensor that no solver looks at. */
  public TensorPlan(
      TensorSpec source,
      List<SourcePart> parts,
      Optional<String> encoding,
      String module,
      String reason,
      Optional<String> rule,
      Optional<QuantizationScheme> scheme,
      List<TensorSpec> outputs) {
    this(source, parts, encoding, module, reason, rule, scheme, SolverChoice.RTN, outputs);
  }

  /** Whether a solver finds its codes with calibration data. */
  boolean isSolved() {
    return scheme.isPresent() && solver.needsData();
  }

  /** Whether calibration data are needed for any of its outputs. */
  boolean isCalibrated() {
    return isSolved() || scheme.filter(CalibratedModule::watchesInput).isPresent();
  }

  /** Full name of the source tensor. */
  public String name() {
    return source.name();
  }

  /** Name of the source file that holds its values. */
  public String file() {
    return parts.getFirst().file();
  }

  /** Its dimensions, outermost first. */
  public List<Long> shape() {
    return source.shape();
  }

  /** Its element type under the name that safetensors uses. */
  public String dtype() {
    return source.dtype().name();
  }

  /**
   * {@code quantize}; or else {@code copy}, {@code split} from a tensor of many experts, {@code
   * convert} to another float type, or {@code dequantize}.
   */
  public String fate() {
    if (scheme.isPresent()) {
      return "quantize";
    }
    if (encoding.isEmpty()) {
      return "copy";
    }
    DType stored = parts.getFirst().tensor().dtype();
    if (stored == source.dtype()) {
      return "split";
    }
    return FloatType.of(stored).isPresent() ? "convert" : "dequantize";
  }

  /** Bytes in the source's files. */
  public long bytesBefore() {
    return parts.stream().mapToLong(SourcePart::bytes).sum();
  }

  /** Bytes in the output. */
  public long bytesAfter() {
    return outputs.stream().mapToLong(TensorSpec::bytes).sum();
  }

  /** Source elements. */
  public long elements() {
    return source.elements();
  }
}
