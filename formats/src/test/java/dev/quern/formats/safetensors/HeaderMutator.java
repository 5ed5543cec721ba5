package dev.quern.formats.safetensors;

import dev.quern.testdata.RawSafetensors;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes damaged safetensors files from good ones: some by blind edits of bytes, some by edits that
 * know the structure, because blind ones seldom get past the JSON parser.
 */
final class HeaderMutator {
  private static final Pattern NUMBER = Pattern.compile("[0-9]+");
  private static final Pattern TOKEN = Pattern.compile("\"[^\"]*\"|[0-9]+|[{}\\[\\],:]");

  private static final String[] HEADERS = {
    "{}",
    "{\"__metadata__\":{\"format\":\"pt\"},"
        + "\"w\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
        + "\"b\":{\"dtype\":\"F4\",\"shape\":[2,4],\"data_offsets\":[4,8]},"
        + "\"é\":{\"dtype\":\"F8_E4M3\",\"shape\":[0,7],\"data_offsets\":[8,8]},"
        + "\"c\":{\"dtype\":\"U8\",\"shape\":[1,1,1],\"data_offsets\":[8,9]}}   ",
  };

  private static final String[] NUMBERS = {
    "0",
    "1",
    "-1",
    "-0",
    "8",
    "12",
    "1e3",
    "1.0",
    "007",
    "2147483648",
    "4294967296",
    "4611686018427387904",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999999",
    "null",
    "\"4\"",
    "[]",
    "NaN",
  };

  private static final String[] TOKENS = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"\"",
    "\"dtype\"",
    "\"shape\"",
    "\"data_offsets\"",
    "\"a\"",
    "\"w\"",
    "\"__metadata__\"",
    "\"F64\"",
    "\"F6_E2M3\"",
    "\"\\ud800\"",
    "\"\\u0061\"",
    "true",
    "null",
    " ",
    "\n",
  };

  private final SplittableRandom random;

  HeaderMutator(SplittableRandom random) {
    this.random = random;
  }

  /** Good files, which the mutants come from. */
  static List<byte[]> seeds() {
    int[] dataBytes = {0, 12, 9};
    List<byte[]> seeds = new ArrayList<>();
    for (int i = 0; i < HEADERS.length; i++) {
      seeds.add(RawSafetensors.bytes(HEADERS[i], new byte[dataBytes[i]]));
    }
    return seeds;
  }

  /** The next mutant: one to three edits of one seed. */
  byte[] next() {
    int[] dataBytes = {0, 12, 9};
    int seed = random.nextInt(HEADERS.length);
    String header = HEADERS[seed];
    int data = dataBytes[seed];
    byte[] raw = null;
    for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
      switch (random.nextInt(8)) {
        case 0 -> header = replaceOne(header, NUMBER, pick(NUMBERS));
        case 1 -> header = replaceOne(header, NUMBER, Integer.toString(random.nextInt(14)));
        case 2 -> header = replaceOne(header, TOKEN, pick(TOKENS));
        case 3 -> header = replaceOne(header, TOKEN, "");
        case 4 -> header = duplicate(header);
        case 5 -> header = insert(header, pick(TOKENS));
        case 6 -> data = random.nextInt(16);
        default -> raw = blind(raw != null ? raw : RawSafetensors.bytes(header, new byte[data]));
      }
    }
    return raw != null ? raw : RawSafetensors.bytes(header, new byte[data]);
  }

  private byte[] blind(byte[] file) {
    int at = file.length == 0 ? 0 : random.nextInt(file.length);
    return switch (random.nextInt(4)) {
      case 0 -> Arrays.copyOf(file, at);
      case 1 -> Arrays.copyOf(file, file.length + 1 + random.nextInt(9));
      case 2 -> splice(file, at, (byte) random.nextInt(256));
      default -> flip(file, at);
    };
  }

  private byte[] flip(byte[] file, int at) {
    byte[] copy = file.clone();
    if (copy.length > 0) {
      copy[at] ^= (byte) (1 << random.nextInt(8));
    }
    return copy;
  }

  private static byte[] splice(byte[] file, int at, byte value) {
    byte[] longer = new byte[file.length + 1];
    System.arraycopy(file, 0, longer, 0, at);
    longer[at] = value;
    System.arraycopy(file, at, longer, at + 1, file.length - at);
    return longer;
  }

  private String replaceOne(String text, Pattern pattern, String replacement) {
    List<int[]> places = new ArrayList<>();
    for (Matcher matcher = pattern.matcher(text); matcher.find(); ) {
      places.add(new int[] {matcher.start(), matcher.end()});
    }
    if (places.isEmpty()) {
      return text;
    }
    int[] place = places.get(random.nextInt(places.size()));
    return text.substring(0, place[0]) + replacement + text.substring(place[1]);
  }

  private String duplicate(String text) {
    int from = random.nextInt(text.length() + 1);
    int to = from + random.nextInt(text.length() - from + 1);
    return text.substring(0, to) + text.substring(from);
  }

  private String insert(String text, String token) {
    int at = random.nextInt(text.length() + 1);
    return text.substring(0, at) + token + text.substring(at);
  }

  private String pick(String[] choices) {
    return choices[random.nextInt(choices.length)];
  }

  /** The header's text of a file, for messages. */
  static String describe(byte[] file) {
    return new String(file, StandardCharsets.ISO_8859_1);
  }
}
