package dev.quern.engine.numeric;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Just enough of safetensors to read what torch wrote; the real reader lives in a room above this
 * one. Tensors have one dimension.
 */
public final class Golden {
  private final String header;
  private final ByteBuffer data;

  private Golden(String header, ByteBuffer data) {
    this.header = header;
    this.data = data;
  }

  static Golden numericCasts() throws IOException {
    return read("golden/numeric_casts.safetensors");
  }

  /** Reads a file of the test data. */
  public static Golden read(String path) throws IOException {
    byte[] file = Files.readAllBytes(TestData.path(path));
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int headerLength = Math.toIntExact(bytes.getLong());
    String header = new String(file, 8, headerLength, StandardCharsets.UTF_8);
    int start = 8 + headerLength;
    return new Golden(
        header, bytes.slice(start, file.length - start).order(ByteOrder.LITTLE_ENDIAN));
  }

  /** The elements of an F32 tensor of any shape, row-major. */
  public float[] floats(String tensor) {
    Pattern entry =
        Pattern.compile(
            "%s:\\{\"dtype\":\"F32\",\"shape\":[^]]*],\"data_offsets\":\\[(\\d+),(\\d+)]}"
                .formatted(Pattern.quote('"' + tensor + '"')));
    Matcher found = entry.matcher(header);
    if (!found.find()) {
      throw new IllegalArgumentException("no F32 tensor " + tensor);
    }
    int begin = Integer.parseInt(found.group(1));
    float[] elements = new float[(Integer.parseInt(found.group(2)) - begin) / Float.BYTES];
    data.slice(begin, elements.length * Float.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(elements);
    return elements;
  }

  /** The elements of a tensor, row-major, each as the unsigned integer that its bytes make. */
  public int[] bits(String tensor, String dtype) {
    Pattern entry =
        Pattern.compile(
            "\"%s\":\\{\"dtype\":\"%s\",\"shape\":\\[([\\d,]+)],\"data_offsets\":\\[(\\d+),(\\d+)]}"
                .formatted(Pattern.quote(tensor), dtype));
    Matcher found = entry.matcher(header);
    if (!found.find()) {
      throw new IllegalArgumentException("no " + dtype + " tensor " + tensor);
    }
    int begin = Integer.parseInt(found.group(2));
    int[] elements =
        new int
            [Pattern.compile(",")
                .splitAsStream(found.group(1))
                .mapToInt(Integer::parseInt)
                .reduce(1, Math::multiplyExact)];
    int width = (Integer.parseInt(found.group(3)) - begin) / elements.length;
    for (int i = 0; i < elements.length; i++) {
      int at = begin + i * width;
      elements[i] =
          switch (width) {
            case 1 -> data.get(at) & 0xFF;
            case 2 -> data.getShort(at) & 0xFFFF;
            case 4 -> data.getInt(at);
            default -> throw new IllegalArgumentException(tensor + " has elements of " + width);
          };
    }
    return elements;
  }
}
