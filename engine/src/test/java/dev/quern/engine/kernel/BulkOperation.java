package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A kernel that turns each element of a run into one of another, with all but the run chosen.
 *
 * @param name kernel, types and what decides its path
 * @param sourceBytes bytes of a source element
 * @param targetBytes bytes of a result
 * @param input fills memory from an offset on
 * @param call the kernel
 */
record BulkOperation(String name, int sourceBytes, int targetBytes, Input input, Call call) {
  private static final float LARGEST_WEIGHT = 0.25f;

  /** Fills {@code memory} from {@code offset} on. */
  interface Input {
    void fill(MemorySegment memory, long offset, SplittableRandom random);
  }

  /** Runs the kernel. */
  interface Call {
    void run(
        Kernels kernels,
        MemorySegment source,
        long sourceOffset,
        int n,
        MemorySegment target,
        long targetOffset);
  }

  /** Every such kernel with every pair of types, and both paths of those that have two. */
  static List<BulkOperation> all() {
    List<BulkOperation> all = new ArrayList<>();
    for (FloatType type : FloatType.values()) {
      float fitting = type.round(LARGEST_WEIGHT / 448);
      all.add(quantize(type, "weights", weights(type), fitting));
      all.add(quantize(type, "weights that overflow", weights(type), type.round(fitting / 4)));
      all.add(quantize(type, "any bits", Inputs::anyBits, fitting));
      all.add(quantize(type, "a scale above 1", Inputs::anyBits, 3f));
      all.add(dequantize(type, fitting));
      for (FloatType to : FloatType.values()) {
        all.add(convert(type, to));
      }
    }
    return all;
  }

  private static Input weights(FloatType type) {
    return (memory, offset, random) -> Inputs.weights(type, memory, offset, LARGEST_WEIGHT, random);
  }

  private static BulkOperation quantize(FloatType type, String what, Input input, float scale) {
    return new BulkOperation(
        "quantizeE4M3 " + type + ", " + what,
        type.bytes(),
        1,
        input,
        (kernels, source, from, n, target, to) ->
            kernels.quantizeE4M3(type, source, from, n, scale, target, to));
  }

  private static BulkOperation dequantize(FloatType type, float scale) {
    return new BulkOperation(
        "dequantizeE4M3 " + type,
        1,
        type.bytes(),
        Inputs::anyBits,
        (kernels, source, from, n, target, to) ->
            kernels.dequantizeE4M3(type, source, from, n, scale, target, to));
  }

  private static BulkOperation convert(FloatType type, FloatType into) {
    return new BulkOperation(
        "convert " + type + " to " + into,
        type.bytes(),
        into.bytes(),
        Inputs::anyBits,
        (kernels, source, from, n, target, to) ->
            kernels.convert(type, source, from, n, into, target, to));
  }

  @Override
  public String toString() {
    return name;
  }
}
