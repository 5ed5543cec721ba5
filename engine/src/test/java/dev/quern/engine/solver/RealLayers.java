package dev.quern.engine.solver;

import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Weights and Hessians for tests. */
final class RealLayers {
  private RealLayers() {}

  static MemorySegment native32(Arena arena, float[] values) {
    return nativeOf(arena, FloatType.F32, values);
  }

  static MemorySegment nativeOf(Arena arena, FloatType type, float[] values) {
    MemorySegment memory = arena.allocate((long) type.bytes() * values.length, 64);
    for (int i = 0; i < values.length; i++) {
      type.store(memory, (long) type.bytes() * i, values[i]);
    }
    return memory;
  }

  static Hessian hessian(Arena arena, float[] full, int n) {
    return Hessian.ofFull(FloatMatrix.of(native32(arena, full), n, n));
  }
}
