package dev.quern.pipeline.source;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * A quantized matrix, decoded when it is read: {@code round((code - zero) * scale)}.
 *
 * <p>The difference is exact, the product is rounded to binary32, then to {@code product}, then to
 * the type of the weight. {@code product} is what the format's own software computes in: the
 * scale's type where scales are of a half-precision type, F32 where it multiplies in binary32.
 *
 * @param spec the plain matrix
 * @param parts the tensors it takes
 * @param what what the files hold, a few words
 * @param codes {@code [rows, cols]}
 * @param scales {@code [rows, groups]}
 * @param zeros {@code [rows, groups]}; empty for a symmetric format
 * @param groups which scale a column has
 * @param product the type that the product is rounded to first
 */
record DecodedWeight(
    TensorSpec spec,
    List<Part> parts,
    String what,
    NumberRows codes,
    NumberRows scales,
    Optional<NumberRows> zeros,
    ColumnGroups groups,
    FloatType product)
    implements SourceWeight {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  DecodedWeight {
    parts = List.copyOf(parts);
  }

  @Override
  public Optional<String> encoding() {
    return Optional.of(what);
  }

  @Override
  public long grain() {
    return rowBytes();
  }

  @Override
  public long memoryBytes(long length) {
    int rows = Math.toIntExact(length / rowBytes());
    return codes.memoryBytes(rows)
        + scales.memoryBytes(rows)
        + zeros.map(z -> z.memoryBytes(rows)).orElse(0L)
        + length
        + 24L * cols();
  }

  @Override
  public MemorySegment read(
      Kernels kernels, long offset, long length, Arena arena, Scratch scratch) {
    int begin = Math.toIntExact(offset / rowBytes());
    int rows = Math.toIntExact(length / rowBytes());
    int cols = cols();
    int[] groupOf = groups.groupOf();
    float[] values = new float[cols];
    float[] scale = new float[groups.count()];
    float[] zero = new float[groups.count()];
    NumberRows.Reader codeReader = codes.open(begin, rows, arena);
    NumberRows.Reader scaleReader = scales.open(begin, rows, arena);
    Optional<NumberRows.Reader> zeroReader = zeros.map(z -> z.open(begin, rows, arena));

    MemorySegment buffer = scratch.atLeast(8L * cols + length);
    MemorySegment exact = buffer.asSlice(0, 4L * cols);
    MemorySegment rounded = buffer.asSlice(4L * cols, 4L * cols);
    MemorySegment target = buffer.asSlice(8L * cols, length);
    for (int row = 0; row < rows; row++) {
      codeReader.read(row, values);
      scaleReader.read(row, scale);
      if (zeroReader.isPresent()) {
        zeroReader.get().read(row, zero);
      }
      for (int c = 0; c < cols; c++) {
        values[c] = (values[c] - zero[groupOf[c]]) * scale[groupOf[c]];
      }
      MemorySegment.copy(values, 0, exact, FLOAT, 0, cols);
      long to = row * rowBytes();
      kernels.convert(FloatType.F32, exact, 0, cols, product, rounded, 0);
      kernels.convert(product, rounded, 0, cols, type(), target, to);
      if (kernels.absMaxBits(type(), target, to, cols) >= type().infinityBits()) {
        throw notFinite(begin + row, values, scale, groupOf);
      }
    }
    return target;
  }

  private CheckpointException notFinite(int row, float[] values, float[] scale, int[] groupOf) {
    for (int c = 0; c < values.length; c++) {
      float s = scale[groupOf[c]];
      if (!Float.isFinite(s)) {
        return refused(row, c, "expected a finite scale, found " + s, DAMAGED);
      }
      if (!Float.isFinite(values[c])) {
        return refused(row, c, "expected finite weights, found " + values[c], DAMAGED);
      }
      if (!Float.isFinite(product.round(values[c]))) {
        return refused(
            row, c, "decodes to " + values[c] + ", which " + product + " cannot hold", DAMAGED);
      }
      if (!Float.isFinite(type().round(product.round(values[c])))) {
        return refused(
            row,
            c,
            "decodes to " + values[c] + ", which " + type() + " cannot hold",
            "Give a wider type with --dtype.");
      }
    }
    throw new IllegalStateException("every weight of the row is finite");
  }

  private static final String DAMAGED = "The checkpoint is damaged; fetch it again.";

  private CheckpointException refused(int row, int col, String problem, String remedy) {
    return new CheckpointException(place() + " [" + row + ", " + col + "]", problem, remedy);
  }
}
