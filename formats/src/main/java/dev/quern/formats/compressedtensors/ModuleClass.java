package dev.quern.formats.compressedtensors;

/**
 * Class names of torch modules that targets and {@code ignore} can mean.
 *
 * <p>Without model code a module's class is told from its tensors; see {@link TensorClassifier}.
 */
public final class ModuleClass {
  /** A matrix {@code [out, in]}; what schemes quantize. */
  public static final String LINEAR = "Linear";

  /** A table {@code [entries, size]}. */
  public static final String EMBEDDING = "Embedding";

  /** GPT-2's transposed matrix {@code [in, out]}, which is no Linear. */
  public static final String CONV1D = "Conv1D";

  private ModuleClass() {}
}
