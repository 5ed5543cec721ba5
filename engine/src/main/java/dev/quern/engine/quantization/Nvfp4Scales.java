package dev.quern.engine.quantization;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.ref.WeakReference;

/**
 * The two levels of scales of NVFP4: a binary32 for the whole matrix, which is divided by, and an
 * E4M3 for each group of 16.
 *
 * <pre>
 *   weight = e2m1 * e4m3 / global           global = 448 * 6 / (largest magnitude of the fused set)
 * </pre>
 *
 * <p>Roundings as the reference's: {@code R} rounds to the weights' type.
 *
 * <pre>
 *   global = R(2688 * R(1 / A))             A at least the smallest normal number
 *   code   = e4m3(global * R(a / 6))        a zero is replaced by 0.125
 *   scale  = code / global                  binary32; what elements are divided by
 * </pre>
 *
 * <p>Source: compressed-tensors 0.18, {@code generate_gparam}, {@code calculate_qparams}, {@code
 * quantize}. Where F16 cannot hold the global scale, the reference takes 1 instead; here it is
 * computed in binary32 then.
 */
public final class Nvfp4Scales {
  /** Elements that share an E4M3 scale. */
  public static final int GROUP_SIZE = 16;

  /** The largest E4M3 times the largest E2M1. */
  private static final float LARGEST = Fp8E4M3.MAX_VALUE * Fp4E2M1.MAX_VALUE;

  /** What replaces a scale that is zero. */
  private static final float ZERO_REPLACEMENT = Fp8E4M3.EPSILON;

  private static final byte ZERO_REPLACEMENT_CODE = Fp8E4M3.encode(ZERO_REPLACEMENT);

  /** Binades below the largest magnitude in which a scale can be anything but the replacement. */
  private static final int BINADES = 20;

  /**
   * The scales of all codes, and the codes of the magnitudes that come up most, computed ahead: up
   * to 20 KB.
   */
  static final class Table {
    private final FloatType type;
    private final float global;
    private final float[] scales = new float[128];
    private final int begin;
    private final byte[] codes;

    private Table(FloatType type, float global, int absMaxBits) {
      this.type = type;
      this.global = global;
      for (int code = 0; code < scales.length; code++) {
        scales[code] = Nvfp4Scales.scale((byte) code, global);
      }
      // F32 has too many patterns for a table, and is computed.
      int entries = BINADES << Integer.numberOfTrailingZeros(type.infinityBits());
      begin = type == FloatType.F32 ? absMaxBits + 1 : Math.max(0, absMaxBits + 1 - entries);
      codes = new byte[absMaxBits + 1 - begin];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = Nvfp4Scales.code(type, global, begin + i);
      }
    }

    /** As {@link Nvfp4Scales#code(FloatType, float, int)}. */
    byte code(int absMaxBits) {
      int index = absMaxBits - begin;
      return index >= 0 && index < codes.length
          ? codes[index]
          : Nvfp4Scales.code(type, global, absMaxBits);
    }

    /** As {@link Nvfp4Scales#scale(byte, float)}, for codes without sign. */
    float scale(byte code) {
      return scales[code & 0x7F];
    }
  }

  private final FloatType type;
  private final float global;
  private final int absMaxBits;
  private volatile WeakReference<Table> table = new WeakReference<>(null);

  /**
   * Scales of one matrix.
   *
   * @param absMaxBits largest magnitude of the fused set, from {@link AbsMax}; no group may exceed
   *     it
   */
  public static Nvfp4Scales of(FloatType type, int absMaxBits) {
    return new Nvfp4Scales(type, global(type, absMaxBits), absMaxBits);
  }

  private Nvfp4Scales(FloatType type, float global, int absMaxBits) {
    this.type = type;
    this.global = global;
    this.absMaxBits = absMaxBits;
  }

  /**
   * The table, for as long as the caller holds it and somewhat longer. Matrices wait for their turn
   * by the thousand, each with scales of its own, and their tables shall not.
   */
  Table table() {
    Table known = table.get();
    if (known == null) { // two threads that come first make it twice, with the same content
      known = new Table(type, global, absMaxBits);
      table = new WeakReference<>(known);
    }
    return known;
  }

  /** The same with another global scale. */
  Nvfp4Scales withGlobal(float other, int absMaxBits) {
    return new Nvfp4Scales(type, other, absMaxBits);
  }

  /** The scale of a matrix, or of a fused set, whose largest magnitude has these bits. */
  public static float global(FloatType type, int absMaxBits) {
    float smallestNormal = type.decode(Integer.lowestOneBit(type.infinityBits()));
    float largest = type.decode(absMaxBits);
    float clamped = Math.max(largest, smallestNormal);
    float global = type.round(LARGEST * type.round(1 / clamped));
    if (Float.isFinite(global)) {
      return global;
    }
    float unrounded = LARGEST / largest;
    return type == FloatType.F16 && Float.isFinite(unrounded) ? unrounded : 1;
  }

  /** The E4M3 code for a group whose largest magnitude has these bits. */
  public static byte code(FloatType type, float global, int absMaxBits) {
    float scale = type.round(type.decode(absMaxBits) / Fp4E2M1.MAX_VALUE);
    byte code = Fp8E4M3.encode(global * scale);
    return code == 0 ? ZERO_REPLACEMENT_CODE : code;
  }

  /** What elements are divided by. */
  public static float scale(byte code, float global) {
    return Fp8E4M3.decode(code) / global;
  }

  /** The scale of the whole matrix. */
  public float global() {
    return global;
  }
}
