package dev.quern.engine.quantization;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** A weight matrix for tests, as floats and as the bytes of its type. */
record Matrix(FloatType type, int rows, int cols, float[] values, MemorySegment bytes) {
  /** Rounds {@code values} to {@code type}, row-major. */
  static Matrix of(Arena arena, FloatType type, int rows, int cols, float[] values) {
    float[] rounded = new float[values.length];
    MemorySegment bytes = arena.allocate((long) rows * cols * type.bytes(), 64);
    for (int i = 0; i < values.length; i++) {
      rounded[i] = type.round(values[i]);
      type.store(bytes, (long) i * type.bytes(), values[i]);
    }
    return new Matrix(type, rows, cols, rounded, bytes);
  }

  /**
   * What breaks quantizers: rows of their own magnitude, all-zero rows, a row of the smallest
   * numbers, outliers, alternating signs, negative zeros, and rows whose quotients are ties.
   */
  static Matrix structured(
      Arena arena, FloatType type, int rows, int cols, SplittableRandom random) {
    float[] values = new float[rows * cols];
    for (int row = 0; row < rows; row++) {
      int kind = random.nextInt(8);
      float size = (float) Math.scalb(1 + random.nextDouble(), -random.nextInt(14));
      for (int col = 0; col < cols; col++) {
        float noise = (float) (random.nextDouble() * 2 - 1);
        values[row * cols + col] =
            switch (kind) {
              case 0 -> 0f;
              case 1 -> col % 2 == 0 ? -0f : 0f;
              case 2 -> random.nextInt(5) * type.decode(1) * (col % 2 == 0 ? 1 : -1);
              case 3 -> col == cols / 2 ? 50 * size : size * noise;
              case 4 -> col % 2 == 0 ? size : -size;
              case 5 -> // largest 448 / 512: the scale is 2^-9, and quotients end in halves
                  col == 0 ? 0.875f : random.nextInt(-128, 129) / 8192f;
              case 6 -> col == cols - 1 ? -size : 0f;
              default -> size * noise;
            };
      }
    }
    return of(arena, type, rows, cols, values);
  }
}
