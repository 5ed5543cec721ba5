package dev.quern.formats.calibration;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** A safetensors file with {@code input_ids}, int32 or int64, [samples, tokens]: a record a row. */
final class IdTensorSource implements RecordSource {
  private static final String REMEDY =
      "Save a matrix of token ids: save_file({\"input_ids\": ids}, \"calibration.safetensors\").";

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SafetensorsFile file;
  private final TensorInfo ids;
  private final TensorInfo mask;
  private int row;

  IdTensorSource(Path path) {
    file = SafetensorsFile.open(path);
    try {
      ids =
          file.find(Columns.IDS)
              .orElseThrow(
                  () ->
                      new CheckpointException(
                          path.toString(),
                          "expected a tensor input_ids, found "
                              + file.tensors().stream().map(TensorInfo::name).limit(10).toList(),
                          REMEDY));
      mask = file.find(Columns.MASK).orElse(null);
      check(ids);
      if (mask != null) {
        check(mask);
        if (!mask.shape().equals(ids.shape())) {
          throw new CheckpointException(
              path + ", tensor " + mask.name(),
              "expected the shape of input_ids, " + ids.shape() + ", found " + mask.shape(),
              "Write both from one call of the tokenizer.");
        }
      }
    } catch (CheckpointException e) {
      file.close();
      throw e;
    }
  }

  private void check(TensorInfo tensor) {
    String where = file.path() + ", tensor " + tensor.name();
    if (tensor.dtype() != DType.I32 && tensor.dtype() != DType.I64) {
      throw new CheckpointException(where, "expected I32 or I64, found " + tensor.dtype(), REMEDY);
    }
    if (tensor.rank() != 2
        || tensor.dim(0) < 1
        || tensor.dim(1) < 1
        || tensor.dim(0) > Integer.MAX_VALUE
        || tensor.dim(1) > CalibrationOptions.MAX_TOKENS) {
      throw new CheckpointException(
          where,
          "expected a shape of [samples, tokens], each at least 1, found " + tensor.shape(),
          REMEDY);
    }
  }

  int rows() {
    return (int) ids.dim(0);
  }

  int columns() {
    return (int) ids.dim(1);
  }

  @Override
  public CalibrationRecord next() {
    if (row == rows()) {
      return null;
    }
    String where = file.path() + ", tensor " + ids.name() + ", row " + row;
    CalibrationRecord record =
        new CalibrationRecord.Ids(where, values(ids), mask == null ? null : values(mask));
    row++;
    return record;
  }

  private long[] values(TensorInfo tensor) {
    boolean wide = tensor.dtype() == DType.I64;
    long[] values = new long[columns()];
    long bytes = (long) values.length * (wide ? 8 : 4);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = file.map(tensor, row * bytes, bytes, arena);
      for (int i = 0; i < values.length; i++) {
        values[i] = wide ? segment.get(LONG, 8L * i) : segment.get(INT, 4L * i);
      }
    }
    return values;
  }

  @Override
  public void close() {
    file.close();
  }
}
