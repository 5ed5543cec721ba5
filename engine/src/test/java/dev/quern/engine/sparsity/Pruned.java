package dev.quern.engine.sparsity;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** A matrix for tests with what became of it. */
final class Pruned {
  final WeightMatrix source;
  final WeightMatrix target;

  private Pruned(WeightMatrix source, Arena arena) {
    this.source = source;
    this.target =
        new WeightMatrix(
            source.type(),
            source.rows(),
            source.columns(),
            arena.allocate(source.data().byteSize(), 64));
  }

  static WeightMatrix matrix(Arena arena, FloatType type, int rows, int columns, float[] values) {
    MemorySegment data = arena.allocate((long) values.length * type.bytes(), 64);
    for (int i = 0; i < values.length; i++) {
      type.store(data, (long) i * type.bytes(), values[i]);
    }
    return new WeightMatrix(type, rows, columns, data);
  }

  /** Normal weights, of which many are equal, and some zero of either sign. */
  static float[] weights(int elements, SplittableRandom random) {
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      float weight = (float) random.nextGaussian() * 0.02f;
      int kind = random.nextInt(20);
      values[i] = kind == 0 ? -0f : kind < 4 ? Math.copySign(0.01f, weight) : weight;
    }
    return values;
  }

  static Pruned magnitude(
      WeightMatrix source, MaskStructure structure, double sparsity, int threads, Arena arena)
      throws Exception {
    Pruned pruned = new Pruned(source, arena);
    try (Workers workers = new Workers(threads)) {
      Magnitude.prune(Kernels.best(), workers, source, structure, sparsity, pruned.target);
    }
    return pruned;
  }

  static Pruned wanda(
      WeightMatrix source,
      float[] rowScalars,
      MaskStructure structure,
      double sparsity,
      int threads,
      Arena arena)
      throws Exception {
    Pruned pruned = new Pruned(source, arena);
    try (Workers workers = new Workers(threads)) {
      Wanda.prune(Kernels.best(), workers, source, rowScalars, structure, sparsity, pruned.target);
    }
    return pruned;
  }

  int sourceBits(long element) {
    return source.type().loadBits(source.data(), element * source.type().bytes());
  }

  int bits(long element) {
    return source.type().loadBits(target.data(), element * source.type().bytes());
  }

  float sourceValue(long element) {
    return source.type().decode(sourceBits(element));
  }

  float value(long element) {
    return source.type().decode(bits(element));
  }
}
