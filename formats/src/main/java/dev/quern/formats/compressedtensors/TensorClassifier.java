package dev.quern.formats.compressedtensors;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * Tells from names, dtypes and shapes alone what each tensor of a checkpoint is, without model
 * code.
 *
 * <p>Two facts can only be seen in the whole list, so a classifier is made for one checkpoint:
 * whether {@code c_attn}, {@code c_fc} and {@code c_proj} are GPT-2's transposed matrices or the
 * plain ones of other families, and which numbered layers are DeepSeek's multi-token-prediction
 * layers (those with an {@code eh_proj}).
 */
public final class TensorClassifier {
  private static final Set<DType> QUANTIZABLE = Set.of(DType.BF16, DType.F16, DType.F32);
  private static final Set<String> CONV1D_NAMES = Set.of("c_attn", "c_fc", "c_proj", "q_attn");

  private final boolean transposed;
  private final List<String> predictionLayers;

  private TensorClassifier(boolean transposed, List<String> predictionLayers) {
    this.transposed = transposed;
    this.predictionLayers = predictionLayers;
  }

  /** A classifier for the checkpoint that holds exactly these tensors, under their full names. */
  public static TensorClassifier forCheckpoint(Collection<TensorSpec> tensors) {
    List<String> predictionLayers = new ArrayList<>();
    int wide = 0;
    int tall = 0;
    for (TensorSpec tensor : tensors) {
      ModuleName name = ModuleName.ofTensor(tensor.name());
      if (name.last().equals("eh_proj")) {
        predictionLayers.add(
            name.module().substring(0, name.module().length() - "eh_proj".length()));
      }
      boolean grows = name.last().equals("c_attn") || name.last().equals("c_fc");
      if (grows && name.parameter().equals("weight") && tensor.shape().size() == 2) {
        // These grow their input, so a plain matrix [out, in] is tall and a transposed one is wide.
        wide += tensor.shape().get(1) > tensor.shape().get(0) ? 1 : 0;
        tall += tensor.shape().get(1) <= tensor.shape().get(0) ? 1 : 0;
      }
    }
    // Without evidence a matrix is taken for transposed: left alone, it is right in either case.
    return new TensorClassifier(wide > 0 || tall == 0, List.copyOf(predictionLayers));
  }

  /** Class of a module that has a compressed matrix, whose name alone is left to tell it. */
  public static String classOfMatrix(String module) {
    return ModuleNames.isEmbedding(ModuleName.ofTensor(module + ".weight"))
        ? ModuleClass.EMBEDDING
        : ModuleClass.LINEAR;
  }

  /** The tensor's role with its reason. */
  public ClassifiedTensor classify(TensorSpec tensor) {
    ModuleName name = ModuleName.ofTensor(tensor.name());
    ClassifiedTensor alone =
        name.parameter().equals("weight") ? weight(tensor, name) : otherParameter(tensor, name);
    boolean mtp =
        ModuleNames.isMultiTokenPrediction(name)
            || predictionLayers.stream().anyMatch(layer -> tensor.name().startsWith(layer));
    return mtp
        ? new ClassifiedTensor(
            tensor.name(),
            name.module(),
            name.parameter(),
            TensorRole.MTP,
            alone.className(),
            "multi-token prediction, kept as it is")
        : alone;
  }

  /** All tensors in the order given. */
  public List<ClassifiedTensor> classifyAll(Collection<TensorSpec> tensors) {
    return tensors.stream().map(this::classify).toList();
  }

  private ClassifiedTensor weight(TensorSpec tensor, ModuleName name) {
    int dimensions = tensor.shape().size();
    if (dimensions < 2) {
      return as(
          tensor,
          name,
          dimensions == 1 ? TensorRole.NORM : TensorRole.OTHER,
          dimensions == 1 ? "norm or other vector" : "a single value");
    }
    if (dimensions > 2) {
      return dimensions == 3 && ModuleNames.isWithinExperts(name)
          ? as(tensor, name, TensorRole.FUSED_EXPERTS, "experts fused in one tensor")
          : as(tensor, name, TensorRole.CONVOLUTION, "weight of " + dimensions + " dimensions");
    }
    if (ModuleNames.isNorm(name)) {
      return as(tensor, name, TensorRole.NORM, "norm with a row for each head");
    }
    if (ModuleNames.isEmbedding(name)) {
      return as(tensor, name, TensorRole.EMBEDDING, "embedding");
    }
    if (ModuleNames.isRouter(name)) {
      return as(tensor, name, TensorRole.ROUTER, "MoE router, kept in full precision");
    }
    if (transposed && CONV1D_NAMES.contains(name.last())) {
      return as(tensor, name, TensorRole.CONV1D, "transposed matrix (Conv1D), not a Linear");
    }
    if (!QUANTIZABLE.contains(tensor.dtype())) {
      return as(
          tensor, name, TensorRole.OTHER, "matrix of " + tensor.dtype() + ", not BF16, F16 or F32");
    }
    return tensor.elements() == 0
        ? as(tensor, name, TensorRole.OTHER, "matrix without elements")
        : as(tensor, name, TensorRole.LINEAR, "Linear");
  }

  private static ClassifiedTensor otherParameter(TensorSpec tensor, ModuleName name) {
    int dimensions = tensor.shape().size();
    boolean experts = ModuleNames.isWithinExperts(name);
    String parameter = name.parameter();
    if (parameter.endsWith("bias") && (dimensions == 1 || dimensions == 2 && experts)) {
      return as(tensor, name, TensorRole.BIAS, "bias");
    }
    if (experts && QUANTIZABLE.contains(tensor.dtype()) && dimensions == 3) {
      return as(tensor, name, TensorRole.FUSED_EXPERTS, "experts fused in one tensor");
    }
    return as(tensor, name, TensorRole.OTHER, "parameter " + parameter);
  }

  private static ClassifiedTensor as(
      TensorSpec tensor, ModuleName name, TensorRole role, String reason) {
    String className =
        switch (role) {
          case LINEAR, ROUTER -> ModuleClass.LINEAR;
          case EMBEDDING -> ModuleClass.EMBEDDING;
          case CONV1D -> ModuleClass.CONV1D;
          default -> "";
        };
    return new ClassifiedTensor(
        tensor.name(), name.module(), name.parameter(), role, className, reason);
  }
}
