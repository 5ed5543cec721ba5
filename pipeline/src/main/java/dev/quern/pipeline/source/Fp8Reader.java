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
 * FP8 E4M3 outside of compressed-tensors: DeepSeek's blocks ({@code weight_scale_inv}), AutoFP8 and
 * vLLM by tensor or row ({@code weight_scale}), FBGEMM by row.
 *
 * <p>{@code weight_scale_inv} is a factor like the others, in spite of its name; it has one value
 * for each tile of {@code weight_block_size}, those at the edges included. A weight is {@code code
 * * scale} in binary32, rounded once to the type of the model.
 *
 * <p>Source: DeepSeek-V3, {@code inference/fp8_cast_bf16.py}; compressed-tensors 0.18, {@code
 * converters/fp8block_dequantizer.py}.
 */
final class Fp8Reader implements SourceReader {
  private static final Set<DType> SCALES = Set.of(DType.F32, DType.BF16, DType.F16, DType.F8_E8M0);
  private static final String OLD_ACTIVATIONS = "a scale of activations of the old quantization";

  @Override
  public void read(Json.Obj config, SourceBuilder source) {
    int[] block = block(config, source);
    for (String module : source.modulesWith("weight")) {
      SourceTensor weight = source.require(module, "weight");
      if (weight.info().dtype() == DType.F8_E4M3) {
        add(module, weight, block, source);
      }
    }
    for (String parameter :
        List.of("input_scale", "activation_scale", "input_scale_ub", "k_scale", "v_scale")) {
      for (String module : source.modulesWith(parameter)) {
        source.drop(module, parameter, OLD_ACTIVATIONS);
      }
    }
  }

  private static int[] block(Json.Obj config, SourceBuilder source) {
    List<Json> sizes = config.array("weight_block_size").orElse(List.of());
    if (sizes.isEmpty()) {
      return new int[] {128, 128};
    }
    int[] block = new int[2];
    for (int i = 0; i < 2; i++) {
      boolean sound =
          sizes.size() == 2
              && sizes.get(i) instanceof Json.Num size
              && size.asLong().orElse(0) >= 1
              && size.asLong().orElse(0) <= 1 << 20;
      if (!sound) {
        throw new CheckpointException(
            source.checkpoint().directory() + "/config.json, quantization_config",
            "expected a weight_block_size of two numbers, found " + Json.of(sizes),
            "Correct the file.");
      }
      block[i] = (int) ((Json.Num) sizes.get(i)).asLong().getAsLong();
    }
    return block;
  }

  private static void add(String module, SourceTensor weight, int[] block, SourceBuilder source) {
    SourceBuilder.requireMatrix(weight);
    int rows = Math.toIntExact(weight.info().dim(0));
    int cols = Math.toIntExact(weight.info().dim(1));
    Optional<SourceTensor> blocks = source.find(module, "weight_scale_inv");
    SourceTensor scale = blocks.orElseGet(() -> source.require(module, "weight_scale"));
    SourceBuilder.requireType(scale, SCALES);
    if (scale.info().elements() == 1 && (long) rows * cols > 1) {
      add(module, weight, scale, "by tensor", PlainNumbers.single(scale), cols, source);
    } else if (blocks.isPresent()) {
      int across = Math.ceilDiv(cols, block[1]);
      SourceBuilder.requireShape(scale, Math.ceilDiv(rows, block[0]), across);
      NumberRows scales = new PlainNumbers(scale, across, Math.min(rows, block[0]));
      String by = "blocks of " + block[0] + " x " + block[1];
      add(module, weight, scale, by, scales, block[1], source);
    } else {
      if (scale.info().rank() == 1) {
        SourceBuilder.requireShape(scale, rows);
      } else {
        SourceBuilder.requireShape(scale, rows, 1);
      }
      add(module, weight, scale, "by channel", PlainNumbers.of(scale, 1), cols, source);
    }
  }

  private static void add(
      String module,
      SourceTensor weight,
      SourceTensor scale,
      String by,
      NumberRows scales,
      int groupSize,
      SourceBuilder source) {
    int cols = Math.toIntExact(weight.info().dim(1));
    source.add(
        new DecodedWeight(
            source.matrix(module, weight.info().dim(0), cols),
            List.of(Part.whole(weight), Part.whole(scale)),
            "FP8, " + by,
            PlainNumbers.of(weight, cols),
            scales,
            Optional.empty(),
            ColumnGroups.ofSize(cols, groupSize),
            FloatType.F32));
  }
}
