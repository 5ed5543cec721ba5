package dev.quern.pipeline.model;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.model.DecoderSpec;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.pipeline.source.SourceModel;
import java.nio.file.Path;

/** A checkpoint, plain or quantized, opened to be run: its description and its weights. */
public final class DecoderModel implements AutoCloseable {
  private final HuggingFaceCheckpoint checkpoint;
  private final SourceModel weights;
  private final DecoderSpec spec;

  private DecoderModel(HuggingFaceCheckpoint checkpoint, SourceModel weights, DecoderSpec spec) {
    this.checkpoint = checkpoint;
    this.weights = weights;
    this.spec = spec;
  }

  /**
   * Opens a folder; reads configuration and headers only.
   *
   * @throws dev.quern.formats.CheckpointException when it is no checkpoint, or of no architecture
   *     that can be run
   */
  public static DecoderModel open(Path folder) {
    HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder);
    try {
      Json.Obj config = checkpoint.config();
      SourceModel weights = SourceModel.open(checkpoint).withSingleExperts(config, _ -> true);
      return new DecoderModel(checkpoint, weights, DecoderReader.read(config, weights));
    } catch (Throwable e) {
      checkpoint.close();
      throw e;
    }
  }

  /** The folder as it was given. */
  public Path folder() {
    return checkpoint.directory();
  }

  /** The files behind it. */
  public HuggingFaceCheckpoint checkpoint() {
    return checkpoint;
  }

  /** What it computes. */
  public DecoderSpec spec() {
    return spec;
  }

  /** Its weights, experts as single matrices. */
  public SourceModel weights() {
    return weights;
  }

  /** Weights to be mapped or decoded, until they are closed. */
  public MappedWeights map(Kernels kernels) {
    return new MappedWeights(weights, kernels);
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
