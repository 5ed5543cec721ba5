package dev.quern.pipeline.source;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * All experts' matrices of a layer in MXFP4, as the plain tensor {@code [experts, in, out]}: each
 * stored row is a column of it.
 *
 * @param plain name of the plain tensor
 * @param type of the plain tensor
 * @param blocks U8 {@code [experts, out, groups, 16]}
 * @param scales U8 {@code [experts, out, groups]}
 * @param experts number of matrices
 * @param out rows of a stored matrix
 * @param groups blocks of 32 inputs in a row
 */
record Mxfp4Experts(
    String plain,
    FloatType type,
    SourceTensor blocks,
    SourceTensor scales,
    int experts,
    int out,
    int groups)
    implements SourceWeight {
  static final int BLOCK = 32;

  @Override
  public TensorSpec spec() {
    return TensorSpec.of(plain, type.dtype(), experts, (long) BLOCK * groups, out);
  }

  @Override
  public List<Part> parts() {
    return List.of(Part.whole(blocks), Part.whole(scales));
  }

  @Override
  public Optional<String> encoding() {
    return Optional.of("MXFP4, " + experts + " experts");
  }

  /** One block of inputs of one expert, all outputs. */
  @Override
  public long grain() {
    return (long) BLOCK * out * type.bytes();
  }

  @Override
  public long memoryBytes(long length) {
    long pieces = length / grain();
    long touched = (pieces / groups + 2) * out * (groups * 17L);
    return touched + length + 4L * BLOCK * groups;
  }

  @Override
  public MemorySegment read(
      Kernels kernels, long offset, long length, Arena arena, Scratch scratch) {
    MemorySegment target = scratch.atLeast(length);
    int in = BLOCK * groups;
    NumberRows codes = new Fp4Numbers(blocks, in);
    NumberRows exponents = PlainNumbers.of(scales, groups);
    float[] values = new float[in];
    float[] scale = new float[groups];
    long first = offset / grain();
    long last = (offset + length) / grain();
    while (first < last) {
      int expert = (int) (first / groups);
      int fromGroup = (int) (first % groups);
      int toGroup = (int) Math.min(groups, fromGroup + last - first);
      NumberRows.Reader codeReader = codes.open(expert * out, out, arena);
      NumberRows.Reader scaleReader = exponents.open(expert * out, out, arena);
      long to = first * grain() - offset;
      for (int row = 0; row < out; row++) {
        codeReader.read(row, values);
        scaleReader.read(row, scale);
        for (int k = fromGroup * BLOCK; k < toGroup * BLOCK; k++) {
          float value = type.round(FloatType.BF16.round(values[k] * scale[k / BLOCK]));
          if (!Float.isFinite(value)) {
            throw new CheckpointException(
                place() + " [" + expert + ", " + row + ", " + k / BLOCK + "]",
                "expected weights that " + type + " can hold, found " + value,
                "The checkpoint is damaged, or needs a wider --dtype.");
          }
          long at = to + ((long) (k - fromGroup * BLOCK) * out + row) * type.bytes();
          type.store(target, at, value);
        }
      }
      first += toGroup - fromGroup;
    }
    return target;
  }

  /**
   * One expert's rows {@code first}, {@code first + step}, ... as a matrix {@code [rows, in]}.
   *
   * @param name full name of the matrix
   */
  SourceWeight expert(String name, int expert, int first, int step, int rows) {
    int in = BLOCK * groups;
    int from = expert * out + first;
    return new DecodedWeight(
        TensorSpec.of(name, type.dtype(), rows, in),
        List.of(
            new Part(blocks, (long) rows * groups * BLOCK / 2),
            new Part(scales, (long) rows * groups)),
        "MXFP4, one of " + experts + " experts",
        new SlicedNumbers(new Fp4Numbers(blocks, in), from, step),
        new SlicedNumbers(PlainNumbers.of(scales, groups), from, step),
        Optional.empty(),
        ColumnGroups.ofSize(in, BLOCK),
        FloatType.BF16);
  }
}
