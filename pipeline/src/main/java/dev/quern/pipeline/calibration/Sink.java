package dev.quern.pipeline.calibration;

import dev.quern.formats.safetensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Takes whole tensors as they are found. */
@FunctionalInterface
public interface Sink {
  /**
   * Takes a tensor. Called by the thread that runs the calibration, once for each tensor.
   *
   * @param bytes all of its bytes, valid during the call only
   * @throws IOException when it cannot be kept
   */
  void write(TensorSpec tensor, MemorySegment bytes) throws IOException;
}
