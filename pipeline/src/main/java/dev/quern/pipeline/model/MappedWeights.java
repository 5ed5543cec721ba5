package dev.quern.pipeline.model;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.MatrixOperand;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.model.Weights;
import dev.quern.formats.CheckpointException;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights of a checkpoint: mapped where its files hold them plain, decoded into memory where they
 * are quantized. Until {@link #close}: a calibration opens one for each layer.
 */
public final class MappedWeights implements Weights, AutoCloseable {
  private final SourceModel model;
  private final Kernels kernels;
  private final Arena arena = Arena.ofShared();
  private final List<Scratch> decoded = new ArrayList<>();
  private long decodedBytes;

  /**
   * Nothing is mapped yet.
   *
   * @param model with experts as single matrices
   */
  public MappedWeights(SourceModel model, Kernels kernels) {
    this.model = model;
    this.kernels = kernels;
  }

  @Override
  public MatrixOperand matrix(String tensor, int rows, int columns) {
    SourceWeight weight = find(tensor, List.of((long) rows, (long) columns));
    return MatrixOperand.of(weight.type(), read(weight), rows, columns);
  }

  @Override
  public float[] vector(String tensor, int size) {
    SourceWeight weight = find(tensor, List.of((long) size));
    MemorySegment bytes = read(weight);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = weight.type().load(bytes, (long) i * weight.type().bytes());
    }
    return values;
  }

  private SourceWeight find(String tensor, List<Long> shape) {
    return model
        .find(tensor)
        .filter(weight -> weight.spec().shape().equals(shape))
        .orElseThrow(
            () ->
                new CheckpointException(
                    tensor,
                    "expected a tensor of shape " + shape + ", found none",
                    "Check that the checkpoint did not change meanwhile."));
  }

  /** Bytes of memory that decoded weights take; mapped ones take none. */
  public long decodedBytes() {
    return decodedBytes;
  }

  private MemorySegment read(SourceWeight weight) {
    Scratch scratch = new Scratch();
    if (weight.encoding().isPresent()) {
      decodedBytes += weight.spec().bytes();
    }
    decoded.add(scratch);
    return weight.read(kernels, 0, weight.spec().bytes(), arena, scratch);
  }

  /** Unmaps and frees everything that was handed out. */
  @Override
  public void close() {
    arena.close();
    decoded.forEach(Scratch::close);
  }
}
