package dev.quern.pipeline.calibration;

import dev.quern.engine.model.AttentionSpec;
import dev.quern.engine.model.DecoderSpec;
import dev.quern.engine.model.FeedForwardSpec;
import dev.quern.engine.model.LayerSpec;
import dev.quern.engine.model.LinearSpec;
import dev.quern.engine.model.ProjectionSpec;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.CompressedTensorNames;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What each layer of a decoder has to show, decided from headers.
 *
 * @param decoder the model
 * @param layers one for each of its layers
 * @param cache how keys and values are stored; empty where they are not watched
 */
public record CalibrationPlan(
    DecoderSpec decoder, List<Layer> layers, Optional<QuantizationArgs> cache) {
  /**
   * A layer.
   *
   * @param spec what it computes
   * @param inputs what is watched, in the order in which the layer computes it
   * @param type of its attention's first weight, and so of the scales of its cache
   * @param cache the scales of its cache
   */
  public record Layer(LayerSpec spec, List<Input> inputs, FloatType type, List<TensorSpec> cache) {
    /** Copies the lists. */
    public Layer {
      inputs = List.copyOf(inputs);
      cache = List.copyOf(cache);
    }

    /** Whether the codes of a matrix in it are solved. */
    public boolean isSolved() {
      return inputs.stream().anyMatch(Input::needsHessian);
    }
  }

  /**
   * An input that one or more linear layers read.
   *
   * @param name of the first linear layer that reads it, whether that is calibrated or not
   * @param features its width
   * @param readers those that are calibrated, at least one
   */
  public record Input(String name, int features, List<CalibratedModule> readers) {
    /** Copies the list. */
    public Input {
      readers = List.copyOf(readers);
    }

    /** Whether its Hessian is wanted. */
    public boolean needsHessian() {
      return readers.stream().anyMatch(CalibratedModule::isSolved);
    }

    /** Whether its range is wanted. */
    public boolean needsRange() {
      return readers.stream().anyMatch(CalibratedModule::watchesInput);
    }
  }

  /** Copies the list. */
  public CalibrationPlan {
    layers = List.copyOf(layers);
  }

  /**
   * Finds the place of each module in the decoder.
   *
   * @param model its weights, with experts as single matrices
   * @param modules those that need data
   * @param cache how keys and values are stored; static, or empty
   * @throws CheckpointException when a module is in none of the decoder's layers
   */
  public static CalibrationPlan of(
      DecoderSpec decoder,
      SourceModel model,
      List<CalibratedModule> modules,
      Optional<QuantizationArgs> cache) {
    Map<String, CalibratedModule> missing = new LinkedHashMap<>();
    modules.forEach(module -> missing.put(module.name(), module));
    List<Layer> layers = new ArrayList<>();
    for (LayerSpec spec : decoder.layers()) {
      List<Input> inputs = new ArrayList<>();
      for (ProjectionSpec projection : projections(spec)) {
        List<CalibratedModule> readers = new ArrayList<>();
        for (LinearSpec linear : projection.linears()) {
          Optional.ofNullable(missing.remove(linear.name())).ifPresent(readers::add);
        }
        if (!readers.isEmpty()) {
          inputs.add(
              new Input(projection.names().getFirst(), projection.inputs(), List.copyOf(readers)));
        }
      }
      FloatType type = type(spec.attention(), model);
      layers.add(
          new Layer(
              spec,
              inputs,
              type,
              cache.map(args -> cache(spec.attention(), args, type)).orElse(List.of())));
    }
    if (!missing.isEmpty()) {
      String first = missing.keySet().iterator().next();
      throw new CheckpointException(
          first,
          "its scheme needs calibration data, and it is in none of the "
              + decoder.layers().size()
              + " decoder layers that see any",
          "Add it to ignore, or give it a scheme without stored scales of inputs, rounded to"
              + " nearest.");
    }
    return new CalibrationPlan(decoder, layers, cache);
  }

  private static FloatType type(AttentionSpec attention, SourceModel model) {
    String first = attention.projection().names().getFirst();
    return model.find(first + ".weight").orElseThrow().type();
  }

  private static List<TensorSpec> cache(
      AttentionSpec attention, QuantizationArgs args, FloatType type) {
    return CompressedTensorNames.keyValueCache(
        attention.name(), args, attention.keyHeads(), type.dtype());
  }

  /** All that reads an input, in the order in which a layer computes it. */
  private static List<ProjectionSpec> projections(LayerSpec layer) {
    List<ProjectionSpec> all = new ArrayList<>();
    AttentionSpec attention = layer.attention();
    all.add(attention.projection());
    all.add(ProjectionSpec.of(attention.output()));
    switch (layer.feedForward()) {
      case FeedForwardSpec.Dense dense -> add(dense, all);
      case FeedForwardSpec.Experts experts -> {
        all.add(ProjectionSpec.of(experts.router()));
        experts.experts().forEach(expert -> add(expert, all));
        experts
            .shared()
            .ifPresent(
                shared -> {
                  shared.gate().ifPresent(gate -> all.add(ProjectionSpec.of(gate)));
                  add(shared.expert(), all);
                });
      }
    }
    return all;
  }

  private static void add(FeedForwardSpec.Dense dense, List<ProjectionSpec> all) {
    all.add(dense.gateUp());
    all.add(ProjectionSpec.of(dense.down()));
  }

  /** The number of the last layer that has to run. */
  public int lastLayer() {
    if (cache.isPresent()) {
      return layers.size() - 1;
    }
    int last = layers.size() - 1;
    while (last > 0 && layers.get(last).inputs().isEmpty()) {
      last--;
    }
    return last;
  }

  /** Everything that is calibrated, in the order of the model. */
  public List<CalibratedModule> modules() {
    return layers.stream()
        .flatMap(layer -> layer.inputs().stream())
        .flatMap(input -> input.readers().stream())
        .toList();
  }

  /** All tensors that a calibration may give, by name. */
  Map<String, TensorSpec> outputs() {
    Map<String, TensorSpec> outputs = new HashMap<>();
    modules().forEach(m -> m.outputs().forEach(output -> outputs.put(output.name(), output)));
    cacheTensors().forEach(output -> outputs.put(output.name(), output));
    return outputs;
  }

  /** Scales of keys and values, which no tensor of the source becomes. */
  public List<TensorSpec> cacheTensors() {
    return layers.stream().flatMap(layer -> layer.cache().stream()).toList();
  }
}
