package dev.quern.pipeline.source;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * AutoGPTQ and GPTQModel: 2, 3, 4 and 8 bits, packed along the inputs.
 *
 * <pre>
 *   qweight  I32 [in * bits / 32, out]      a string of words below each other for each output
 *   qzeros   I32 [groups, out * bits / 32]  a string of words side by side for each group
 *   scales   F16 [groups, out]
 *   g_idx    I32 [in]                       the group of each input; may be missing
 * </pre>
 *
 * <p>A weight is {@code (q - z) * scale} in the type of the scales. Checkpoints of format {@code
 * gptq}, the default, store {@code z - 1}; {@code gptq_v2} stores {@code z}. The number of bits is
 * told from the sizes, because modules may differ.
 *
 * <p>Source: AutoGPTQ, {@code qlinear_cuda.py}; GPTQModel, {@code utils/model.py}.
 */
final class GptqReader implements SourceReader {
  private static final Set<DType> SCALES = Set.of(DType.F16, DType.BF16, DType.F32);
  private static final Set<DType> WORDS = Set.of(DType.I32);
  private static final Set<Integer> BITS = Set.of(2, 3, 4, 8);

  @Override
  public void read(Json.Obj config, SourceBuilder source) {
    String format = config.string("checkpoint_format").orElse("gptq");
    if (!format.equals("gptq") && !format.equals("gptq_v2")) {
      throw new CheckpointException(
          source.checkpoint().directory() + "/config.json, quantization_config",
          "expected checkpoint_format gptq or gptq_v2, found " + format,
          "Convert the checkpoint with the software that made it.");
    }
    long configured = config.integer("bits").orElse(4L);
    if (configured < 2 || configured > 8 || !BITS.contains((int) configured)) {
      throw new CheckpointException(
          source.checkpoint().directory() + "/config.json, quantization_config, bits",
          "expected 2, 3, 4 or 8, found " + configured,
          "Correct the file, or fetch it again.");
    }
    for (String module : source.modulesWith("qweight")) {
      add(module, (int) configured, format.equals("gptq"), source);
    }
  }

  private static void add(String module, int configured, boolean lessOne, SourceBuilder source) {
    SourceTensor codes = source.require(module, "qweight");
    SourceBuilder.requireMatrix(codes);
    SourceBuilder.requireType(codes, WORDS);
    SourceTensor scales = source.require(module, "scales");
    SourceBuilder.requireMatrix(scales);
    SourceBuilder.requireType(scales, SCALES);
    int words = Math.toIntExact(codes.info().dim(0));
    int rows = Math.toIntExact(codes.info().dim(1));
    int groups = Math.toIntExact(scales.info().dim(0));
    SourceBuilder.requireShape(scales, groups, rows);
    Optional<SourceTensor> index = source.find(module, "g_idx");
    int cols = index.map(i -> (int) i.info().elements()).orElse(32 * words / configured);
    int bits = (int) (32L * words / Math.max(1, cols));
    if (!BITS.contains(bits) || (long) cols * bits != 32L * words) {
      throw SourceBuilder.refused(
          codes,
          "expected words of 2, 3, 4 or 8 bits for each of " + cols + " inputs, found " + words);
    }
    List<Part> parts = new ArrayList<>(List.of(Part.whole(codes), Part.whole(scales)));
    SourceTensor zeros =
        source.require(module, "qzeros", WORDS, groups, PackedInts.words(rows, bits));
    parts.add(Part.whole(zeros));
    NumberRows stored = new PackedInts(zeros, bits, groups, false, false, 0);
    if (index.isPresent()) {
      SourceBuilder.requireType(index.get(), WORDS);
      SourceBuilder.requireShape(index.get(), cols);
      parts.add(Part.whole(index.get()));
    } else if (cols % groups != 0) {
      throw SourceBuilder.refused(
          scales, "expected groups that divide " + cols + " inputs, found " + groups);
    }
    source.add(
        new DecodedWeight(
            source.matrix(module, rows, cols),
            parts,
            "GPTQ int" + bits + ", " + groups + (groups == 1 ? " group" : " groups"),
            new PackedInts(codes, bits, cols, true, true, 0),
            new TransposedNumbers(scales, rows, groups),
            Optional.of(lessOne ? new PlusOne(stored, bits) : stored),
            index
                .map(i -> ColumnGroups.anySizes(cols, groups, i))
                .orElseGet(() -> ColumnGroups.ofSize(cols, cols / groups)),
            FloatType.of(scales.info().dtype()).orElseThrow()));
  }
}
