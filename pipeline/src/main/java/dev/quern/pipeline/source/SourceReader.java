package dev.quern.pipeline.source;

import dev.quern.formats.json.Json;

/**
 * Knows one way in which checkpoints are quantized: which tensors make a weight, and how.
 *
 * <p>A reader looks at headers and at the few small tensors that hold sizes; weights are read when
 * they are asked for.
 */
interface SourceReader {
  /**
   * Adds the weights that it knows to the builder, and drops what means nothing without the
   * quantization. Tensors that it leaves alone are plain.
   *
   * @param config the {@code quantization_config}
   * @throws dev.quern.formats.CheckpointException when tensors and configuration do not fit
   */
  void read(Json.Obj config, SourceBuilder source);
}
