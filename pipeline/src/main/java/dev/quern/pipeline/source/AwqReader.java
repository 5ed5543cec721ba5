package dev.quern.pipeline.source;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * AutoAWQ, 4 bits, version GEMM.
 *
 * <pre>
 *   qweight  I32 [in, out / 8]      see {@link AwqInts} for the order of the nibbles
 *   qzeros   I32 [groups, out / 8]  the same order; missing when zero_point is false
 *   scales   F16 [groups, out]
 * </pre>
 *
 * <p>A weight is {@code (q - z) * scale} in the type of the scales; without zero points z is 8.
 *
 * <p>Source: AutoAWQ, {@code utils/packing_utils.py}; compressed-tensors 0.18, {@code
 * converters/autoawq.py}.
 */
final class AwqReader implements SourceReader {
  private static final Set<DType> SCALES = Set.of(DType.F16, DType.BF16, DType.F32);
  private static final Set<DType> WORDS = Set.of(DType.I32);

  @Override
  public void read(Json.Obj config, SourceBuilder source) {
    long bits = config.integer("bits").or(() -> config.integer("w_bit")).orElse(4L);
    String version = config.string("version").orElse("gemm").toLowerCase(Locale.ROOT);
    if (bits != 4 || !version.equals("gemm")) {
      throw new CheckpointException(
          source.checkpoint().directory() + "/config.json, quantization_config",
          "expected AWQ of 4 bits, version gemm, found " + bits + " bits, version " + version,
          "Give the checkpoint that it was made from.");
    }
    for (String module : source.modulesWith("qweight")) {
      add(module, source);
    }
  }

  private static void add(String module, SourceBuilder source) {
    SourceTensor codes = source.require(module, "qweight");
    SourceBuilder.requireMatrix(codes);
    SourceBuilder.requireType(codes, WORDS);
    int cols = Math.toIntExact(codes.info().dim(0));
    int rows = Math.toIntExact(8 * codes.info().dim(1));
    SourceTensor scales = source.require(module, "scales");
    SourceBuilder.requireMatrix(scales);
    SourceBuilder.requireType(scales, SCALES);
    int groups = Math.toIntExact(scales.info().dim(0));
    SourceBuilder.requireShape(scales, groups, rows);
    if (cols % groups != 0) {
      throw SourceBuilder.refused(
          scales, "expected groups that divide " + cols + " inputs, found " + groups);
    }
    List<Part> parts = new ArrayList<>(List.of(Part.whole(codes), Part.whole(scales)));
    NumberRows zeros = new ConstantNumbers(groups, 8);
    if (source.find(module, "qzeros").isPresent()) {
      SourceTensor stored = source.require(module, "qzeros", WORDS, groups, rows / 8);
      parts.add(Part.whole(stored));
      zeros = new AwqInts(stored, rows, groups);
    }
    source.add(
        new DecodedWeight(
            source.matrix(module, rows, cols),
            parts,
            "AWQ int4, groups of " + cols / groups,
            new AwqInts(codes, rows, cols),
            new TransposedNumbers(scales, rows, groups),
            Optional.of(zeros),
            ColumnGroups.ofSize(cols, cols / groups),
            FloatType.of(scales.info().dtype()).orElseThrow()));
  }
}
