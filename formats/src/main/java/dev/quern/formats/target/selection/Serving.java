package dev.quern.formats.target.selection;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How a model is served.
 *
 * @param dtype the model's type, {@code bfloat16} or {@code float16}
 * @param modelType {@code model_type} of config.json
 * @param tensorParallel ranks that share each matrix
 * @param expertParallel ranks that share the experts of a layer
 * @param linearBackend vLLM's {@code --linear-backend}; {@code auto} for none
 * @param moeBackend vLLM's {@code --moe-backend}; {@code auto} for none
 * @param environment environment variables that are set
 * @param withPackages packages beside those that the target has
 * @param withoutPackages packages of the target that are missing
 * @param sparsity whether config.json has a {@code sparsity_config}
 */
public record Serving(
    String dtype,
    String modelType,
    int tensorParallel,
    int expertParallel,
    String linearBackend,
    String moeBackend,
    Map<String, String> environment,
    Set<String> withPackages,
    Set<String> withoutPackages,
    boolean sparsity) {
  /** Copies the collections, in order. */
  public Serving {
    if (tensorParallel < 1 || expertParallel < 1) {
      throw new IllegalArgumentException("ranks: " + tensorParallel + ", " + expertParallel);
    }
    environment = Map.copyOf(new TreeMap<>(environment));
    withPackages = Set.copyOf(new TreeSet<>(withPackages));
    withoutPackages = Set.copyOf(new TreeSet<>(withoutPackages));
  }

  /** One rank, the engine's defaults. */
  public static Serving of(String dtype) {
    return new Serving(
        dtype, "", 1, 1, "auto", "auto", Map.of(), Set.of(), Set.of(), false);
  }

  /** The same with another model type. */
  public Serving withModelType(String modelType) {
    return new Serving(
        dtype, modelType, tensorParallel, expertParallel, linearBackend, moeBackend, environment,
        withPackages, withoutPackages, sparsity);
  }

  /** The same with a number of ranks. */
  public Serving withTensorParallel(int tensorParallel) {
    return new Serving(
        dtype, modelType, tensorParallel, expertParallel, linearBackend, moeBackend, environment,
        withPackages, withoutPackages, sparsity);
  }

  /** The same with a number of ranks that share experts. */
  public Serving withExpertParallel(int expertParallel) {
    return new Serving(
        dtype, modelType, tensorParallel, expertParallel, linearBackend, moeBackend, environment,
        withPackages, withoutPackages, sparsity);
  }

  /** The same with a backend for matrices. */
  public Serving withLinearBackend(String linearBackend) {
    return new Serving(
        dtype, modelType, tensorParallel, expertParallel, linearBackend, moeBackend, environment,
        withPackages, withoutPackages, sparsity);
  }

  /** The same with environment variables. */
  public Serving withEnvironment(Map<String, String> environment) {
    return new Serving(
        dtype, modelType, tensorParallel, expertParallel, linearBackend, moeBackend, environment,
        withPackages, withoutPackages, sparsity);
  }

  /** The same with packages that are there and packages that are missing. */
  public Serving withPackages(Set<String> with, Set<String> without) {
    return new Serving(
        dtype, modelType, tensorParallel, expertParallel, linearBackend, moeBackend, environment,
        with, without, sparsity);
  }

  /** The same for a checkpoint with a {@code sparsity_config}. */
  public Serving withSparsity(boolean sparsity) {
    return new Serving(
        dtype, modelType, tensorParallel, expertParallel, linearBackend, moeBackend, environment,
        withPackages, withoutPackages, sparsity);
  }
}
