package dev.quern.pipeline.source;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * NVIDIA ModelOpt: NVFP4, and FP8 by tensor.
 *
 * <pre>
 *   weight          U8 [out, in / 2]         FP4, the even column in the low nibble
 *   weight_scale    F8_E4M3 [out, in / 16]
 *   weight_scale_2  F32, one value           a factor; compressed-tensors stores its reciprocal
 * </pre>
 *
 * <p>A weight is {@code fp4 * (weight_scale * weight_scale_2)}, each product in binary32, rounded
 * once to the type of the model.
 *
 * <p>Source: ModelOpt, {@code NVFP4QTensor}; compressed-tensors 0.18, {@code
 * converters/modelopt_nvfp4.py}.
 */
final class ModelOptReader implements SourceReader {
  private static final int GROUP = 16;
  private static final String OLD_ACTIVATIONS = "a scale of activations of the old quantization";
  private final SourceReader fp8 = new Fp8Reader();

  @Override
  public void read(Json.Obj config, SourceBuilder source) {
    List<String> smoothed = source.modulesWith("pre_quant_scale");
    if (!smoothed.isEmpty()) {
      throw new CheckpointException(
          source.checkpoint().directory() + ", module " + smoothed.getFirst(),
          "expected weights that work alone, found a pre_quant_scale, by which inputs are"
              + " multiplied while the model runs",
          "Give the checkpoint that it was made from.");
    }
    for (String module : source.modulesWith("weight_scale_2")) {
      add(module, source);
    }
    for (String parameter : List.of("input_scale", "k_scale", "v_scale")) {
      for (String module : source.modulesWith(parameter)) {
        source.drop(module, parameter, OLD_ACTIVATIONS);
      }
    }
    fp8.read(Json.Obj.empty(), source);
  }

  private static void add(String module, SourceBuilder source) {
    SourceTensor codes = source.require(module, "weight");
    SourceBuilder.requireMatrix(codes);
    SourceBuilder.requireType(codes, Set.of(DType.U8));
    int rows = Math.toIntExact(codes.info().dim(0));
    int cols = Math.toIntExact(2 * codes.info().dim(1));
    if (cols % GROUP != 0) {
      throw SourceBuilder.refused(
          codes, "expected groups of " + GROUP + " columns, found " + cols + " columns");
    }
    SourceTensor scales =
        source.require(module, "weight_scale", Set.of(DType.F8_E4M3), rows, cols / GROUP);
    SourceTensor whole = source.require(module, "weight_scale_2");
    SourceBuilder.requireType(whole, Set.of(DType.F32));
    if (whole.info().elements() != 1) {
      throw SourceBuilder.refused(whole, "expected one value, found shape " + whole.info().shape());
    }
    source.add(
        new DecodedWeight(
            source.matrix(module, rows, cols),
            List.of(Part.whole(codes), Part.whole(scales), Part.whole(whole)),
            "NVFP4, groups of " + GROUP,
            new Fp4Numbers(codes, cols),
            new ScaledNumbers(PlainNumbers.of(scales, cols / GROUP), whole, false),
            Optional.empty(),
            ColumnGroups.ofSize(cols, GROUP),
            FloatType.F32));
  }
}
