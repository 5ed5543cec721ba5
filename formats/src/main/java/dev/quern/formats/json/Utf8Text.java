package dev.quern.formats.json;

import dev.quern.formats.CheckpointException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Strictly decoded UTF-8 that can still tell the byte at which a character stood, for error
 * messages.
 */
public final class Utf8Text {
  private final char[] chars;
  private final int length;

  private Utf8Text(char[] chars, int length) {
    this.chars = chars;
    this.length = length;
  }

  /**
   * Decodes all of {@code bytes}.
   *
   * @param where the place for the message, without a byte offset
   * @param origin what to add to byte offsets in the message: where {@code bytes} starts in its
   *     file
   * @param remedy the last sentence of the message
   * @throws CheckpointException at the first byte that is not UTF-8
   */
  public static Utf8Text decode(byte[] bytes, String where, long origin, String remedy) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    // UTF-8 never has more chars than bytes, so the buffer cannot overflow.
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      int at = in.position();
      throw new CheckpointException(
          where + ", byte " + (origin + at),
          "expected UTF-8, found byte 0x" + HexFormat.of().toHexDigits(bytes[at]),
          remedy);
    }
    return new Utf8Text(out.array(), out.position());
  }

  /** The decoded characters; the array may be longer than {@link #length()}. Not a copy. */
  public char[] chars() {
    return chars;
  }

  /** Number of characters (UTF-16 units). */
  public int length() {
    return length;
  }

  /** The byte offset of the character at {@code index}; linear time, for messages only. */
  public long byteOffset(long index) {
    long bytes = 0;
    int end = Math.clamp(index, 0, length);
    for (int i = 0; i < end; i++) {
      char c = chars[i];
      // A surrogate pair takes four bytes: two for each half.
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }

  /** True when no surrogate stands alone, so that the text can be written as UTF-8 again. */
  public static boolean isWellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return false;
      }
    }
    return true;
  }
}
