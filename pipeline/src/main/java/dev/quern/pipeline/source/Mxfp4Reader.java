package dev.quern.pipeline.source;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import java.util.Set;

/**
 * gpt-oss: experts in MXFP4, all of a layer in one tensor.
 *
 * <pre>
 *   X_blocks  U8 [experts, out, in / 32, 16]  FP4, the even input in the low nibble
 *   X_scales  U8 [experts, out, in / 32]      exponents of powers of two, 127 more
 *   X         the plain tensor: [experts, in, out]
 * </pre>
 *
 * <p>The product is exact in BF16 but for the smallest scales.
 *
 * <p>Source: transformers 5.18, {@code integrations/mxfp4.py}, {@code convert_moe_packed_tensors}.
 */
final class Mxfp4Reader implements SourceReader {
  private static final String BLOCKS = "_blocks";
  private static final String SCALES = "_scales";

  @Override
  public void read(Json.Obj config, SourceBuilder source) {
    for (SourceTensor blocks : source.checkpoint().tensors()) {
      if (blocks.name().endsWith(BLOCKS)) {
        String name = blocks.name().substring(0, blocks.name().length() - BLOCKS.length());
        add(name, blocks, source);
      }
    }
  }

  private static void add(String name, SourceTensor blocks, SourceBuilder source) {
    SourceBuilder.requireType(blocks, Set.of(DType.U8));
    boolean sound =
        blocks.info().rank() == 4
            && blocks.info().elements() > 0
            && blocks.info().dim(3) == 16
            && blocks.info().dim(0) * blocks.info().dim(1) <= Integer.MAX_VALUE / 64
            && blocks.info().dim(2) <= Integer.MAX_VALUE / 64;
    if (!sound) {
      throw SourceBuilder.refused(
          blocks, "expected shape [experts, out, blocks, 16], found " + blocks.info().shape());
    }
    int dot = name.lastIndexOf('.');
    SourceTensor scales =
        source.require(
            name.substring(0, Math.max(0, dot)),
            name.substring(dot + 1) + SCALES,
            Set.of(DType.U8),
            blocks.info().dim(0),
            blocks.info().dim(1),
            blocks.info().dim(2));
    source.add(
        new Mxfp4Experts(
            name,
            source.type(),
            blocks,
            scales,
            (int) blocks.info().dim(0),
            (int) blocks.info().dim(1),
            (int) blocks.info().dim(2)));
  }
}
