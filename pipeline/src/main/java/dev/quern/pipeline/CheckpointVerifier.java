package dev.quern.pipeline;

import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.compressedtensors.TensorRole;
import dev.quern.formats.compressedtensors.TiedEmbeddings;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Looks at a checkpoint that was compressed some time ago, alone or beside its source. */
final class CheckpointVerifier {
  private final HuggingFaceCheckpoint checkpoint;
  private final Map<String, QuantizationScheme> quantized;
  private final List<String> problems;

  CheckpointVerifier(HuggingFaceCheckpoint checkpoint) {
    this.checkpoint = checkpoint;
    Optional<QuantizationConfig> config = QuantizationConfig.ofModel(checkpoint.config());
    StructureCheck structure = config.map(c -> new StructureCheck(checkpoint, c)).orElse(null);
    quantized = structure == null ? Map.of() : structure.quantized();
    problems = structure == null ? new ArrayList<>() : structure.problems();
    if (structure == null) {
      refuseScales();
    }
  }

  /** Scales that no configuration explains; a reader would take the codes for weights. */
  private void refuseScales() {
    checkpoint.tensors().stream()
        .map(SourceTensor::name)
        .filter(CheckpointVerifier::isScale)
        .findFirst()
        .ifPresent(
            name -> problems.add(name + ": is there, but config.json has no quantization_config"));
  }

  private static boolean isScale(String tensor) {
    return StructureCheck.SCALES.contains(tensor.substring(tensor.lastIndexOf('.') + 1));
  }

  VerificationReport report(Map<String, ErrorStatistics> errors) {
    return new VerificationReport(
        checkpoint.directory(), checkpoint.tensors().size(), quantized.size(), problems, errors);
  }

  /** Compares every tensor with the source; what cannot be compared is a problem. */
  Map<String, ErrorStatistics> compare(
      HuggingFaceCheckpoint source, int threads, long memoryBytes, Progress progress)
      throws Exception {
    SourceModel model =
        SourceModel.open(source).withSingleExperts(source.config(), quantized::containsKey);
    List<TensorSpec> specs = model.weights().stream().map(SourceWeight::spec).toList();
    TensorClassifier classifier = TensorClassifier.forCheckpoint(specs);
    List<PlannedTensor> tensors = new ArrayList<>();
    for (SourceWeight weight : model.weights()) {
      planned(weight, classifier.classify(weight.spec())).ifPresent(tensors::add);
    }
    Optional<TiedEmbeddings> tied =
        TiedEmbeddings.of(classifier.classifyAll(specs), source.config());
    untiedHead(model, tied).ifPresent(tensors::add);
    tensors.forEach(tensor -> tensor.requireMemory(threads, memoryBytes));
    refuseStrangers(model, classifier, tied);
    Map<String, SafetensorsFile> files = new HashMap<>();
    checkpoint.tensors().forEach(tensor -> files.put(tensor.name(), tensor.file()));
    try (Workers workers = new Workers(threads)) {
      MemoryBudget budget = new MemoryBudget(memoryBytes);
      return ErrorStatistics.byKind(
          new Verification(tensors, files).run(workers, budget, progress));
    } catch (QuernException e) {
      if (e.kind() != QuernException.Kind.VERIFICATION) {
        throw e;
      }
      problems.add(e.getMessage());
      return Map.of();
    }
  }

  /** Tensors that are neither the source's nor parameters of a module that was compressed. */
  private void refuseStrangers(
      SourceModel source, TensorClassifier classifier, Optional<TiedEmbeddings> tied) {
    Set<String> modules = new HashSet<>();
    source.weights().forEach(t -> modules.add(classifier.classify(t.spec()).module()));
    Optional<String> head = tied.map(TiedEmbeddings::head);
    head.ifPresent(modules::add);
    for (SourceTensor tensor : checkpoint.tensors()) {
      String module = classifier.classify(tensor.info().spec()).module();
      boolean parameter =
          modules.contains(module)
              && (quantized.containsKey(module) || head.equals(Optional.of(module)));
      if (source.find(tensor.name()).isEmpty() && !parameter && !isScale(tensor.name())) {
        problems.add(tensor.name() + ": comes from no tensor of the source");
      }
    }
  }

  /** A head that shared the source's table and has tensors of its own now. */
  private Optional<PlannedTensor> untiedHead(SourceModel source, Optional<TiedEmbeddings> tied) {
    boolean stored =
        tied.isPresent()
            && checkpoint.tensors().stream()
                .anyMatch(t -> t.name().startsWith(tied.get().head() + ".weight"));
    if (!stored) {
      return Optional.empty();
    }
    String head = tied.get().head();
    return planned(
        source.find(tied.get().table() + ".weight").orElseThrow(),
        new ClassifiedTensor(
            head + ".weight",
            head,
            "weight",
            TensorRole.LINEAR,
            ModuleClass.LINEAR,
            "untied head"));
  }

  private Optional<PlannedTensor> planned(SourceWeight weight, ClassifiedTensor classified) {
    QuantizationScheme scheme =
        classified.parameter().equals("weight") ? quantized.get(classified.module()) : null;
    if (scheme == null) {
      TensorSpec source = weight.spec();
      TensorSpec copy = new TensorSpec(classified.tensor(), source.dtype(), source.shape());
      return requireOutputs(weight, classified, Optional.empty(), List.of(copy));
    }
    boolean known =
        isMatrix(weight.spec())
            && FloatType.of(weight.spec().dtype()).isPresent()
            && WeightCodecs.find(scheme, weight.type(), weight.rows(), weight.cols()).isPresent();
    if (!known) {
      problems.add(
          weight.name()
              + ": this version cannot decompress "
              + scheme.formatOrDefault().configName()
              + " to compare it");
      return Optional.empty();
    }
    return requireOutputs(
        weight,
        classified,
        Optional.of(scheme),
        PlannedTensor.outputs(classified.module(), weight.spec(), scheme));
  }

  private static boolean isMatrix(TensorSpec spec) {
    return spec.shape().size() == 2
        && spec.elements() > 0
        && Math.max(spec.shape().get(0), spec.shape().get(1)) <= Integer.MAX_VALUE;
  }

  private Optional<PlannedTensor> requireOutputs(
      SourceWeight weight,
      ClassifiedTensor classified,
      Optional<QuantizationScheme> scheme,
      List<TensorSpec> outputs) {
    for (TensorSpec output : outputs) {
      Optional<TensorSpec> found = checkpoint.find(output.name()).map(t -> t.info().spec());
      if (!found.equals(Optional.of(output))) {
        problems.add(
            output.name()
                + ": expected "
                + output.dtype()
                + " "
                + output.shape()
                + " for the source's "
                + weight.name()
                + ", found "
                + found.map(f -> f.dtype() + " " + f.shape()).orElse("nothing"));
        return Optional.empty();
      }
    }
    TensorPlan plan =
        new TensorPlan(
            weight.spec(),
            SourcePart.of(weight),
            weight.encoding(),
            classified.module(),
            classified.reason(),
            Optional.empty(),
            scheme,
            outputs);
    return Optional.of(PlannedTensor.of(plan, weight));
  }
}
