package dev.quern.formats.layout;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * E4M3 codes read as E4M3 FNUZ, the FP8 of MI300 (gfx942): the same bits mean half the value there,
 * so scales are doubled (E8M0 codes raised by 1), and the negative zero, which is FNUZ's NaN,
 * becomes zero.
 *
 * <p>This is no bijection, since two zeros become one. vLLM converts while it loads; publish
 * checkpoints in E4M3.
 *
 * <p>Source: vLLM 017e9f44, {@code w8a8_utils.py}, {@code normalize_e4m3fn_to_e4m3fnuz}.
 */
public final class FnuzCodes {
  private static final byte NEGATIVE_ZERO = (byte) 0x80;
  private static final int NAN = 0x7F;

  private FnuzCodes() {}

  /**
   * Converts codes.
   *
   * @param source E4M3 codes
   * @param target receives as many E4M3 FNUZ codes; may be {@code source}
   * @throws IllegalArgumentException when a code is NaN, which would become 240, or {@code target}
   *     is shorter
   */
  public static void convert(MemorySegment source, MemorySegment target) {
    if (target.byteSize() < source.byteSize()) {
      throw new IllegalArgumentException(
          "expected room for " + source.byteSize() + " codes, found " + target.byteSize());
    }
    for (long at = 0; at < source.byteSize(); at++) {
      byte code = source.get(ValueLayout.JAVA_BYTE, at);
      if ((code & NAN) == NAN) {
        throw new IllegalArgumentException(
            "code " + at + " is NaN in E4M3, and would be a number in E4M3 FNUZ");
      }
      target.set(ValueLayout.JAVA_BYTE, at, code == NEGATIVE_ZERO ? 0 : code);
    }
  }

  /** The scale that belongs to converted codes. */
  public static float scale(float scale) {
    return 2 * scale;
  }
}
