package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.calibration.CalibrationOptions;
import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeReader;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.formats.recipe.SolverChoice;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What to compress, how, and with which means. A value never changes; each {@code with} method
 * gives another one.
 */
public final class CompressionOptions {
  /** The default of {@link #memoryBytes}: 512 MB. */
  public static final long DEFAULT_MEMORY = 512_000_000;

  /** The default of {@link #maxShardBytes}: 5 GB. */
  public static final long DEFAULT_SHARD = 5_000_000_000L;

  /** More would only take memory: no machine of today has as many processors. */
  private static final int MAX_THREADS = 1024;

  private static final int MAX_RANKS = 1024;

  /** Everything, with its defaults; private to one value once it is made. */
  private static final class Values {
    private Path model;
    private Path output;
    private Recipe recipe;
    private List<String> notes = List.of();
    private List<String> ignore = List.of();
    private int threads = Runtime.getRuntime().availableProcessors();
    private long memoryBytes = DEFAULT_MEMORY;
    private long maxShardBytes = DEFAULT_SHARD;
    private boolean overwrite;
    private OptionalInt tensorParallel = OptionalInt.empty();
    private Optional<Path> calibration = Optional.empty();
    private CalibrationOptions samples = CalibrationOptions.defaults();
    private boolean propagate = true;

    private Values copy() {
      Values copy = new Values();
      copy.model = model;
      copy.output = output;
      copy.recipe = recipe;
      copy.notes = notes;
      copy.ignore = ignore;
      copy.threads = threads;
      copy.memoryBytes = memoryBytes;
      copy.maxShardBytes = maxShardBytes;
      copy.overwrite = overwrite;
      copy.tensorParallel = tensorParallel;
      copy.calibration = calibration;
      copy.samples = samples;
      copy.propagate = propagate;
      return copy;
    }
  }

  private final Values values;

  private CompressionOptions(Values values) {
    this.values = values;
  }

  /**
   * One preset scheme for all Linear modules, and defaults for everything else: all processors, 512
   * MB, shards of 5 GB.
   *
   * @param model folder of the source checkpoint
   * @param output folder to make
   * @param scheme name of a preset scheme, in any case
   * @throws QuernException for an unknown name
   */
  public static CompressionOptions of(Path model, Path output, String scheme) {
    return ofSchemes(model, output, List.of(scheme));
  }

  /**
   * As {@link #of(Path, Path, String)} with any number of preset schemes.
   *
   * @param schemes each a name, which stands for all Linear modules, or {@code NAME:TARGET}
   * @throws QuernException for an unknown name
   */
  public static CompressionOptions ofSchemes(Path model, Path output, List<String> schemes) {
    SchemeOptions parsed = SchemeOptions.parse(schemes);
    return of(model, output, parsed.recipe()).with(v -> v.notes = parsed.notes());
  }

  /**
   * As {@link #of(Path, Path, String)} with the rules of a file, in the format of llm-compressor.
   *
   * @param recipe a file of YAML or JSON
   * @throws QuernException when it cannot be read, or asks for what is not known or not there
   */
  public static CompressionOptions ofRecipe(Path model, Path output, Path recipe) {
    try {
      return of(model, output, RecipeReader.read(recipe));
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.REQUEST, e);
    }
  }

  /**
   * As {@link #of(Path, Path, String)} with any rules.
   *
   * @param recipe which modules get which scheme
   */
  public static CompressionOptions of(Path model, Path output, Recipe recipe) {
    Values values = new Values();
    values.model = Objects.requireNonNull(model);
    values.output = Objects.requireNonNull(output);
    values.recipe = Objects.requireNonNull(recipe);
    return new CompressionOptions(values);
  }

  /** Folder of the source checkpoint. */
  public Path model() {
    return values.model;
  }

  /** Folder to make. */
  public Path output() {
    return values.output;
  }

  /** Which modules get which scheme. */
  public Recipe recipe() {
    return values.recipe;
  }

  /** What the user should be told about the request itself, a sentence each. */
  List<String> notes() {
    return values.notes;
  }

  /**
   * Module names, {@code re:} patterns and classes to leave as they are, beside {@code lm_head} and
   * what the recipe ignores.
   */
  public List<String> ignore() {
    return values.ignore;
  }

  /** Worker threads, from 1 to 1024; the output does not depend on it. */
  public int threads() {
    return values.threads;
  }

  /**
   * The most that work in flight may occupy, mapped files included; the JVM itself comes on top.
   */
  public long memoryBytes() {
    return values.memoryBytes;
  }

  /** The most bytes of tensors in one output file. */
  public long maxShardBytes() {
    return values.maxShardBytes;
  }

  /** Whether an existing checkpoint at {@link #output} is replaced. */
  public boolean overwrite() {
    return values.overwrite;
  }

  /**
   * Ranks on which vLLM shall serve the result; what would not load there is refused. Empty when
   * nothing is known of it, and then the same is a warning, for one rank.
   */
  public OptionalInt tensorParallel() {
    return values.tensorParallel;
  }

  /**
   * Calibration data, for schemes that need any; see {@link
   * dev.quern.formats.calibration.CalibrationData}. Empty for a small text that comes with quern.
   */
  public Optional<Path> calibration() {
    return values.calibration;
  }

  /** How much of the calibration data is used, and which part. */
  public CalibrationOptions calibrationOptions() {
    return values.samples;
  }

  /**
   * Whether a layer is calibrated on what earlier ones compute with their stored weights, and not
   * with those of the source.
   */
  public boolean propagate() {
    return values.propagate;
  }

  /**
   * These options with other modules for their one scheme.
   *
   * @throws QuernException when the rules have targets of their own
   */
  public CompressionOptions withTargets(List<String> targets) {
    if (!recipe().origin().equals(SchemeOptions.TARGETS)) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          SchemeOptions.TARGETS,
          "the targets stand in " + recipe().origin() + " already",
          "Give them there, or a single --scheme without a pattern.");
    }
    List<String> copy = List.copyOf(targets);
    return with(v -> v.recipe = recipe().withRules(rule -> rule.withTargets(copy)));
  }

  /**
   * These options with another observer of weights for all rules: how the range of a scale is
   * found.
   *
   * @param observer such as {@code memoryless_minmax}
   */
  public CompressionOptions withWeightObserver(String observer) {
    return with(v -> v.recipe = recipe().withRules(rule -> rule.withWeightObserver(observer)));
  }

  /**
   * These options with another algorithm for all rules.
   *
   * @param algorithm {@code rtn} or {@code gptq}, in any case
   * @param order {@code actorder}: {@code static}, {@code group}, {@code weight}, {@code dynamic}
   *     or {@code none}; empty for static, as in the reference
   * @param blockSize columns between two updates; empty for 128
   * @param dampening in units of the mean of the Hessian's diagonal; empty for 0.01
   * @throws QuernException for a name or a number that cannot be used
   */
  public CompressionOptions withAlgorithm(
      String algorithm, Optional<String> order, OptionalInt blockSize, OptionalDouble dampening) {
    AlgorithmOptions parsed = AlgorithmOptions.parse(algorithm, order, blockSize, dampening);
    return withSolver(parsed.solver(), parsed.order());
  }

  /**
   * These options with another way to find the codes of weights, for all rules.
   *
   * @param order in which columns are solved; groups of it where the weights are integers in
   *     groups, and none where nothing is solved
   */
  public CompressionOptions withSolver(SolverChoice solver, Optional<ActivationOrdering> order) {
    return with(
        v ->
            v.recipe =
                recipe()
                    .withRules(
                        rule -> rule.withSolver(solver).withOrder(possible(rule, solver, order))));
  }

  /** As the reference: an order by groups is none where there are no groups. */
  private static Optional<ActivationOrdering> possible(
      RecipeRule rule, SolverChoice solver, Optional<ActivationOrdering> order) {
    boolean groups =
        rule.scheme()
            .weights()
            .filter(
                weights ->
                    weights.type() == QuantizationType.INT
                        && weights.strategy() == QuantizationStrategy.GROUP)
            .isPresent();
    return order
        .filter(_ -> solver.needsData())
        .filter(o -> groups || o.canonical() != ActivationOrdering.GROUP);
  }

  /** These options with keys and values cached in a smaller type. */
  public CompressionOptions withCache(QuantizationArgs cache) {
    return with(v -> v.recipe = recipe().withCache(cache));
  }

  /** These options with calibration data of the user. */
  public CompressionOptions withCalibration(Path file) {
    Objects.requireNonNull(file);
    return with(v -> v.calibration = Optional.of(file));
  }

  /** These options with a number of samples. */
  public CompressionOptions withSamples(int count) {
    require(count >= 1, "--samples", count, "at least 1");
    return with(v -> v.samples = v.samples.withSamples(count));
  }

  /** These options with a longest sample, in tokens. */
  public CompressionOptions withSequenceLength(int tokens) {
    require(tokens >= 1, "--seq-len", tokens, "at least 1");
    return with(v -> v.samples = v.samples.withSequenceLength(tokens));
  }

  /** These options with calibration records in another order. */
  public CompressionOptions withSeed(long seed) {
    return with(v -> v.samples = v.samples.withSeed(seed));
  }

  /** These options with layers that see the errors of earlier ones, or do not. */
  public CompressionOptions withPropagation(boolean propagate) {
    return with(v -> v.propagate = propagate);
  }

  /** These options with other modules to leave as they are. */
  public CompressionOptions withIgnore(List<String> ignore) {
    List<String> copy = List.copyOf(ignore);
    return with(v -> v.ignore = copy);
  }

  /** These options with another number of threads. */
  public CompressionOptions withThreads(int threads) {
    requireThreads(threads);
    return with(v -> v.threads = threads);
  }

  /** These options with another memory budget. */
  public CompressionOptions withMemoryBytes(long memoryBytes) {
    requireMemory(memoryBytes);
    return with(v -> v.memoryBytes = memoryBytes);
  }

  /** These options with another size of shards. */
  public CompressionOptions withMaxShardBytes(long maxShardBytes) {
    requireShard(maxShardBytes);
    return with(v -> v.maxShardBytes = maxShardBytes);
  }

  /** These options with or without leave to replace an existing checkpoint. */
  public CompressionOptions withOverwrite(boolean overwrite) {
    return with(v -> v.overwrite = overwrite);
  }

  /** These options with a number of ranks on which the result must load. */
  public CompressionOptions withTensorParallel(int ranks) {
    require(ranks >= 1 && ranks <= MAX_RANKS, "--tensor-parallel", ranks, "from 1 to " + MAX_RANKS);
    return with(v -> v.tensorParallel = OptionalInt.of(ranks));
  }

  private CompressionOptions with(Consumer<Values> change) {
    Values copy = values.copy();
    change.accept(copy);
    return new CompressionOptions(copy);
  }

  static void requireThreads(int threads) {
    require(
        threads >= 1 && threads <= MAX_THREADS, "--threads", threads, "from 1 to " + MAX_THREADS);
  }

  static void requireMemory(long memoryBytes) {
    require(memoryBytes >= 1_000_000, "--memory", memoryBytes, "at least 1 MB");
  }

  static void requireShard(long maxShardBytes) {
    require(maxShardBytes >= 1, "--max-shard-size", maxShardBytes, "at least 1 byte");
  }

  private static void require(boolean condition, String option, long found, String expected) {
    if (!condition) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          option,
          "expected " + expected + ", found " + found,
          "Give another value, or leave the option out.");
    }
  }
}
