package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Fp4Kernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The observer {@code exact} for NVFP4: for a given global scale, the E4M3 code of each group that
 * makes the squared error of its 16 weights least. Every code that can win is tried, with the
 * rounding of E4M3 and of E2M1 done.
 *
 * <p>Which codes can win, for a group whose largest magnitude is {@code a} and a scale {@code S}:
 *
 * <ul>
 *   <li>{@code a <= 3.5 S}: the values of scale {@code 2 T} up to {@code 6 T} are all values of
 *       scale {@code T}, too; so {@code S / 2} is never worse.
 *   <li>{@code a >= 7.94 S}: {@code 2 S} is better. It lacks the values {@code S / 2} and {@code 3
 *       S / 2}, which costs the other 15 weights at most {@code S^2 / 4} each, 3.75 together; and
 *       it brings the largest weight nearer by more than that, since {@code (7.94 - 6)^2 - (8 -
 *       7.94)^2} is 3.76.
 * </ul>
 *
 * <p>So at most eleven of E4M3's codes remain, eight of them in an octave. The search goes through
 * {@value #WINDOW}, from {@code a / 8} on: as many as two vectors of AVX2 have lanes. Where {@code
 * S / 2} or {@code 2 S} are no codes, below 2^-5 and above 224, the window reaches to the end of
 * the codes, and beyond {@code a / 18}, where what is cut off alone is more than the largest code's
 * error can be.
 *
 * <p>Weights are multiplied by a power of two first, so that the largest of the fused set is about
 * 1, and no square leaves binary32. Errors are those of {@code |x| - e2m1 * scale} in binary32;
 * their squares are added in the order of the columns. The page {@code docs/formats/nvfp4-exact.md}
 * compares it with other ways.
 */
public final class Nvfp4Search {
  /** Name of the observer. */
  public static final String NAME = "exact";

  /** Codes that are tried for each group. */
  public static final int WINDOW = 16;

  /**
   * The largest E4M3 that a group may need at most, for each global scale that is tried: the
   * reference's; with all codes of {@code a / 3.5} in range, as in Four over Six; and between.
   */
  private static final float[] LARGEST_CODES = {Fp8E4M3.MAX_VALUE, 384, 320, 256};

  /** Global scales that are tried. */
  public static final int GLOBAL_SCALES = LARGEST_CODES.length;

  private static final int MAX_START = 0x7E - WINDOW + 1;

  private final FloatType type;
  private final Nvfp4Scales known;
  private final float unit;
  private final float[] scales = new float[128];
  private final float[] reciprocals = new float[128];

  /**
   * A search under one of the global scales.
   *
   * @param absMaxBits largest magnitude of the fused set
   * @param candidate 0 for the reference's global scale, below {@link #GLOBAL_SCALES}
   */
  public static Nvfp4Search of(FloatType type, int absMaxBits, int candidate) {
    Nvfp4Scales reference = Nvfp4Scales.of(type, absMaxBits);
    float largest = type.decode(absMaxBits);
    float global = LARGEST_CODES[candidate] * Fp4E2M1.MAX_VALUE / largest;
    boolean usable = candidate > 0 && reference.global() != 1 && Float.isFinite(global);
    return new Nvfp4Search(
        type, usable ? reference.withGlobal(global, absMaxBits) : reference, largest);
  }

  private Nvfp4Search(FloatType type, Nvfp4Scales known, float largest) {
    this.type = type;
    this.known = known;
    int exponent = Math.clamp(-Math.getExponent(largest), -126, 126);
    this.unit = Math.scalb(1f, exponent);
    for (int code = 0; code < scales.length; code++) {
      scales[code] = Nvfp4Scales.scale((byte) code, known.global()) * unit;
      reciprocals[code] = 1 / scales[code];
    }
  }

  /** The global scale and what follows from it. */
  public Nvfp4Scales scales() {
    return known;
  }

  /** The first code of a group's window. */
  private int start(int absMaxBits) {
    float least = type.decode(absMaxBits) * known.global() / 8;
    return Math.clamp((Fp8E4M3.encode(least) & 0x7F) - 1, 1, MAX_START);
  }

  /** What the search for one row needs beside the row; for one thread. */
  static final class Row implements AutoCloseable {
    final int[] codes;
    final float[] errors;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment values;
    private final float[] lanes = new float[WINDOW];

    Row(int cols) {
      codes = new int[cols / Nvfp4Scales.GROUP_SIZE];
      errors = new float[codes.length];
      values = arena.allocate(4L * cols, 64);
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  /** Finds the codes and errors of a row. */
  void search(
      Kernels kernels, MemorySegment source, long offset, int cols, int[] maxBits, Row row) {
    kernels.convert(type, source, offset, cols, FloatType.F32, row.values, 0);
    for (int g = 0; g < row.codes.length; g++) {
      row.codes[g] = start(maxBits[g]);
    }
    Fp4Kernels fp4 = kernels.fp4();
    fp4.searchNvfp4(
        row.values, 0, cols, unit, scales, reciprocals, row.codes, row.errors, row.lanes);
    for (int g = 0; g < row.codes.length; g++) {
      if (maxBits[g] == 0) {
        row.codes[g] = Nvfp4Scales.code(type, known.global(), 0);
      }
    }
  }

  /**
   * The squared error of some rows, in units of the square of about the largest weight, as a whole
   * number: so it can be added up in any order. A row's is a multiple of 2^-26.
   *
   * @param source weights, row-major [rows, cols]
   */
  public long squaredError(Kernels kernels, MemorySegment source, int rows, int cols) {
    int[] maxBits = new int[cols / Nvfp4Scales.GROUP_SIZE];
    long sum = 0;
    try (Row scratch = new Row(cols)) {
      for (int row = 0; row < rows; row++) {
        long offset = (long) row * cols * type.bytes();
        Nvfp4Weights.maxima(kernels, type, source, rows, cols, row, maxBits);
        search(kernels, source, offset, cols, maxBits, scratch);
        double error = 0;
        for (float group : scratch.errors) {
          error += group;
        }
        sum += (long) Math.rint(error * 0x1p26);
      }
    }
    return sum;
  }
}
