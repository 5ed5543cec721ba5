package dev.quern.formats.compressedtensors;

import dev.quern.formats.json.Json;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Builds the {@code ignore} of a finished checkpoint: the full name of each module that was not
 * quantized although its class was.
 *
 * <p>Patterns of the user are expanded, routers count as Linear, modules of other classes are not
 * named. Two additions keep engines from looking for scales that are not there: {@code re:^mtp.*}
 * for multi-token-prediction modules that are a model of their own, and an expression for each
 * module whose experts lie fused in one tensor.
 *
 * <p>Source: compressed-tensors 0.18, {@code quantization/quant_config.py} and {@code
 * utils/mtp.py}; the expression for fused experts is ours.
 */
public final class IgnoreList {
  private static final String MTP_PATTERN = "re:^mtp.*";
  private static final String MTP_PREFIX = "mtp";
  private static final List<String> MTP_KEYS = List.of("num_mtp_layers", "mtp_num_hidden_layers");

  private IgnoreList() {}

  /**
   * The list, in model order with {@code lm_head} after the decoder and patterns last.
   *
   * @param tensors every tensor of the source checkpoint
   * @param quantized full names of the modules that were quantized
   * @param modelConfig the model's config.json, for MTP layers and tied heads
   */
  public static List<String> of(
      Collection<ClassifiedTensor> tensors, Set<String> quantized, Json.Obj modelConfig) {
    Set<String> classes = new TreeSet<>();
    for (ClassifiedTensor tensor : tensors) {
      if (!tensor.className().isEmpty() && quantized.contains(tensor.module())) {
        classes.add(tensor.className());
      }
    }
    TreeSet<String> names = new TreeSet<>(ModelOrder.OF_MODULES);
    LinkedHashSet<String> patterns = new LinkedHashSet<>();
    boolean linear = classes.contains(ModuleClass.LINEAR);
    boolean mtp = hasMtpLayers(modelConfig);
    for (ClassifiedTensor tensor : tensors) {
      if (tensor.module().startsWith(MTP_PREFIX)) {
        mtp = true;
      } else if (quantized.contains(tensor.module())) {
        continue;
      } else if (tensor.role() == TensorRole.FUSED_EXPERTS && linear) {
        patterns.add(below(expertsOf(tensor)));
      } else if (classes.contains(tensor.className())) {
        names.add(tensor.module());
      }
    }
    if (linear
        && !quantized.contains(TiedEmbeddings.LM_HEAD)
        && TiedEmbeddings.isTied(tensors, modelConfig)) {
      names.add(TiedEmbeddings.LM_HEAD);
    }
    if (mtp) {
      patterns.add(MTP_PATTERN);
    }
    LinkedHashSet<String> all = new LinkedHashSet<>(names);
    all.addAll(patterns);
    return List.copyOf(all);
  }

  /**
   * {@code X.experts} for {@code X.experts.gate_up_proj}; the module itself when it is no such
   * name.
   */
  private static String expertsOf(ClassifiedTensor tensor) {
    int at = (tensor.module() + ".").lastIndexOf(".experts.");
    return at < 0 ? tensor.module() : tensor.module().substring(0, at + ".experts".length());
  }

  private static String below(String module) {
    return "re:^" + module.replace(".", "\\.") + "\\b.*";
  }

  private static boolean hasMtpLayers(Json.Obj modelConfig) {
    Optional<Json.Obj> text = modelConfig.object("text_config");
    return MTP_KEYS.stream()
        .anyMatch(
            key ->
                modelConfig.integer(key).orElse(0L) > 0
                    || text.flatMap(t -> t.integer(key)).orElse(0L) > 0);
  }
}
