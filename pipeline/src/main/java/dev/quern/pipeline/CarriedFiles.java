package dev.quern.pipeline;

import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.LeftOutFile;
import dev.quern.pipeline.report.HtmlReport;
import dev.quern.pipeline.report.JsonReport;
import dev.quern.pipeline.source.SourceModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Which files beside weights and config.json go along: not those about an old quantization. */
final class CarriedFiles {
  static final String UNDONE = "about the quantization that is undone";

  /** Written by ModelOpt, AutoGPTQ and AutoAWQ. */
  private static final Set<String> ABOUT_QUANTIZATION =
      Set.of("hf_quant_config.json", "quantize_config.json", "quant_config.json");

  /** What tells of the compression that made the source. */
  private static final Set<String> OURS =
      Set.of(OutputFiles.RECIPE, JsonReport.FILE, HtmlReport.FILE);

  private CarriedFiles() {}

  static List<String> otherFiles(HuggingFaceCheckpoint checkpoint, SourceModel model) {
    return checkpoint.otherFiles().stream()
        .filter(file -> !OURS.contains(file) && !isUndone(file, model))
        .toList();
  }

  /**
   * @param recipe why a recipe by which the source was made is left out
   */
  static List<LeftOutFile> leftOut(
      HuggingFaceCheckpoint checkpoint, SourceModel model, String recipe) {
    List<LeftOutFile> all = new ArrayList<>(checkpoint.leftOut());
    for (String file : checkpoint.otherFiles()) {
      if (OURS.contains(file)) {
        all.add(new LeftOutFile(file, recipe));
      } else if (isUndone(file, model)) {
        all.add(new LeftOutFile(file, UNDONE));
      }
    }
    return all;
  }

  private static boolean isUndone(String file, SourceModel model) {
    return model.quantization().isPresent() && ABOUT_QUANTIZATION.contains(file);
  }
}
