package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.TensorRole;
import dev.quern.formats.recipe.RecipeMatcher;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceWeight;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Decides for each tensor whether a rule quantizes it or it is copied, and why. */
final class TensorFates {
  private final RecipeMatcher matcher;
  private final CompressionOptions options;
  private final List<SourceWeight> sources;
  private final List<ClassifiedTensor> classified;
  private final Set<String> linearNames = new LinkedHashSet<>();
  private final List<String> warnings = new ArrayList<>();

  /**
   * @param sources tensors of the checkpoint
   * @param classified what each of them is, in the same order
   */
  TensorFates(
      RecipeMatcher matcher,
      CompressionOptions options,
      List<SourceWeight> sources,
      List<ClassifiedTensor> classified) {
    this.matcher = matcher;
    this.options = options;
    this.sources = sources;
    this.classified = classified;
    classified.stream()
        .filter(t -> t.role() == TensorRole.LINEAR)
        .map(t -> lastPart(t.module()))
        // A number is a place in a list, where neighbours may be norms.
        .filter(name -> !name.chars().allMatch(Character::isDigit))
        .forEach(linearNames::add);
  }

  /**
   * The fate of every tensor, in the order of the sources.
   *
   * @throws QuernException when two rules claim a module, or a rule cannot be applied to it
   * @throws CheckpointException when a tensor is not what its name promises
   */
  List<TensorPlan> decide() {
    refuseUndividedGroups();
    List<TensorPlan> fates = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      fates.add(decide(sources.get(i), classified.get(i)));
    }
    return fates;
  }

  /** One error for all modules, before the first of them gets a fate. */
  private void refuseUndividedGroups() {
    UndividedGroups undivided = new UndividedGroups();
    for (int i = 0; i < sources.size(); i++) {
      ClassifiedTensor tensor = classified.get(i);
      TensorSpec weight = sources.get(i).spec();
      if (tensor.role() == TensorRole.LINEAR || isTable(tensor, weight)) {
        claim(tensor.moduleRef())
            .flatMap(claim -> claim.rule().scheme().weights())
            .ifPresent(args -> undivided.add(tensor.module(), weight, args));
      }
    }
    undivided.refuse(options.model().toString());
  }

  /** What the user should know about targets that could not be met, after {@link #decide}. */
  List<String> warnings() {
    return warnings;
  }

  private TensorPlan decide(SourceWeight source, ClassifiedTensor tensor) {
    Optional<RecipeMatcher.Claim> claim = claim(tensor.moduleRef());
    if (claim.isPresent() && tensor.role() == TensorRole.LINEAR) {
      return quantized(source, tensor, claim.get());
    }
    requireMatrix(source, tensor);
    if (claim.isPresent() && isTable(tensor, source.spec())) {
      refuseInputs(tensor, claim.get());
      return quantized(source, tensor, claim.get());
    }
    if (claim.isPresent() && !claim.get().target().equals(ModuleClass.LINEAR)) {
      warnings.add(tensor.module() + " is targeted, but left as it is: " + tensor.reason());
    }
    String reason =
        tensor.role() == TensorRole.LINEAR
            ? matcher
                .ignoredBy(tensor.moduleRef())
                .map(by -> "ignored by " + by)
                .orElse("not targeted")
            : tensor.reason();
    return copied(source, tensor, reason);
  }

  /** Whether a rule claims a module that is a Linear. */
  static boolean isWanted(RecipeMatcher matcher, String module) {
    return claim(matcher, new ModuleRef(module, ModuleClass.LINEAR)).isPresent();
  }

  /** The head as a tensor of its own, made from the table that it shares. */
  TensorPlan untied(TensorPlan table, ClassifiedTensor head) {
    SourceWeight source =
        sources.stream().filter(s -> s.name().equals(table.name())).findFirst().orElseThrow();
    Optional<RecipeMatcher.Claim> claim = claim(head.moduleRef());
    TensorPlan plan =
        claim.isPresent()
            ? quantized(source, head, claim.get())
            : copied(source, head, head.reason());
    List<TensorSpec> outputs =
        claim.isPresent()
            ? plan.outputs()
            : List.of(new TensorSpec(head.tensor(), source.spec().dtype(), source.spec().shape()));
    // Its bytes count once in what the source has, at the table.
    List<SourcePart> parts =
        plan.parts().stream().map(p -> new SourcePart(p.tensor(), p.file(), 0)).toList();
    return new TensorPlan(
        plan.source(),
        parts,
        plan.encoding(),
        plan.module(),
        plan.reason(),
        plan.rule(),
        plan.scheme(),
        plan.solver(),
        outputs);
  }

  private static boolean isTable(ClassifiedTensor tensor, TensorSpec table) {
    return tensor.role() == TensorRole.EMBEDDING
        && FloatType.of(table.dtype()).isPresent()
        && table.elements() > 0;
  }

  /** A table is looked up by number; it has no inputs to quantize. */
  private void refuseInputs(ClassifiedTensor tensor, RecipeMatcher.Claim claim) {
    if (claim.rule().scheme().inputActivations().isPresent()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          options.recipe().origin(),
          tensor.module()
              + " is an embedding, which has no inputs that "
              + claim.rule().label()
              + " could quantize",
          "Leave it out of the targets, or use a scheme of weights alone, such as W8A16.");
    }
  }

  private Optional<RecipeMatcher.Claim> claim(ModuleRef module) {
    return claim(matcher, module);
  }

  private static Optional<RecipeMatcher.Claim> claim(RecipeMatcher matcher, ModuleRef module) {
    try {
      return matcher.claim(module);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.REQUEST, e);
    }
  }

  /** Refuses what is named like a matrix, would be quantized as one, and is none. */
  private void requireMatrix(SourceWeight source, ClassifiedTensor tensor) {
    TensorSpec info = source.spec();
    boolean looksLinear =
        tensor.parameter().equals("weight")
            && (linearNames.contains(lastPart(tensor.module()))
                || tensor.module().endsWith("_proj"));
    if (looksLinear
        && refusedByShape(tensor, info.shape().size())
        && claim(new ModuleRef(tensor.module(), ModuleClass.LINEAR)).isPresent()) {
      throw new CheckpointException(
          source.place(),
          "expected a matrix [out, in] of BF16, F16 or F32 that is not empty, found "
              + info.dtype()
              + " "
              + info.shape(),
          "Check how the checkpoint was made, or leave the module as it is with --ignore "
              + tensor.module()
              + ".");
    }
  }

  private static boolean refusedByShape(ClassifiedTensor tensor, int rank) {
    return switch (tensor.role()) {
      case OTHER, NORM -> true;
      // Images and video have convolutions of 4 and 5 dimensions under names such as proj.
      case CONVOLUTION -> rank == 3;
      default -> false;
    };
  }

  private TensorPlan quantized(
      SourceWeight source, ClassifiedTensor tensor, RecipeMatcher.Claim claim) {
    TensorSpec info = source.spec();
    long rows = info.shape().get(0);
    long cols = info.shape().get(1);
    if (rows > Integer.MAX_VALUE || cols > Integer.MAX_VALUE) {
      throw new CheckpointException(
          source.place(),
          "expected a matrix of fewer than 2^31 rows and columns, found " + info.shape(),
          "Leave it as it is with --ignore " + tensor.module() + ".");
    }
    RecipeRule rule =
        tensor.role() == TensorRole.EMBEDDING ? SchemeSupport.rounded(claim.rule()) : claim.rule();
    QuantizationScheme targeted = rule.scheme();
    QuantizationScheme scheme = targeted.withFormat(CompressionFormat.toWrite(targeted));
    String by = claim.target().equals(tensor.className()) ? "" : ", " + claim.target();
    TensorPlan plan =
        new TensorPlan(
            info,
            SourcePart.of(source),
            source.encoding(),
            tensor.module(),
            SchemeSupport.title(rule)
                + ", "
                + scheme.formatOrDefault().configName()
                + by
                + was(source),
            Optional.of(claim.text()),
            Optional.of(scheme),
            rule.solver(),
            PlannedTensor.outputs(tensor.module(), info, scheme));
    if (!plan.isSolved()) {
      PlannedTensor.of(plan, source).requireMemory(options.threads(), options.memoryBytes());
    }
    return plan;
  }

  private TensorPlan copied(SourceWeight source, ClassifiedTensor tensor, String reason) {
    TensorPlan plan =
        new TensorPlan(
            source.spec(),
            SourcePart.of(source),
            source.encoding(),
            tensor.module(),
            reason + was(source),
            Optional.empty(),
            Optional.empty(),
            List.of(source.spec()));
    PlannedTensor.of(plan, source).requireMemory(options.threads(), options.memoryBytes());
    return plan;
  }

  private static String was(SourceWeight source) {
    return source.encoding().map(encoding -> "; was " + encoding).orElse("");
  }

  private static String lastPart(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }
}
