package dev.quern.formats.json;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonWriterTest {
  private static Json parse(String text) {
    return JsonReader.parse(text.getBytes(StandardCharsets.UTF_8), "test");
  }

  @Test
  void prettyLooksLikePython() {
    // The expected text is what CPython 3.11 prints for this value.
    Json value =
        parse(
            """
            {"b": [], "a": {}, "é\\ud83d\\ude00":
             ["x\\u007f\\u2028\\"\\\\/\\b\\f\\n\\r\\t\\u0001", 1, true, null, {"z": 1e-06, "y": [[1], [2, []]]}],
             "\\uffee": 1, "\\ud83d\\ude00": 2, "": 0}
            """);
    assertThat(JsonWriter.pretty(value))
        .isEqualTo(
            """
            {
              "": 0,
              "a": {},
              "b": [],
              "\\u00e9\\ud83d\\ude00": [
                "x\\u007f\\u2028\\"\\\\/\\b\\f\\n\\r\\t\\u0001",
                1,
                true,
                null,
                {
                  "y": [
                    [
                      1
                    ],
                    [
                      2,
                      []
                    ]
                  ],
                  "z": 1e-06
                }
              ],
              "\\uffee": 1,
              "\\ud83d\\ude00": 2
            }\
            """);
  }

  @Test
  void compactLooksLikeSerde() {
    // As the reference implementation writes it: two-letter escapes where JSON has them, DEL and
    // beyond raw.
    Json value =
        parse("{\"b\": [1, {}, []], \"t\\t\\n\\u0001\\u007f\\u2028/\\\\\\b\\f\\\"é😀\": null}");
    assertThat(JsonWriter.compact(value))
        .isEqualTo("{\"b\":[1,{},[]],\"t\\t\\n\\u0001\u007f\u2028/\\\\\\b\\f\\\"é😀\":null}");
  }

  @ParameterizedTest
  @CsvSource({
    "1e-6, 1e-06",
    "1e-5, 1e-05",
    "0.0001, 0.0001",
    "0.01, 0.01",
    "1, 1.0",
    "0.1, 0.1",
    "1e15, 1000000000000000.0",
    "1e16, 1e+16",
    "123456789012345680, 1.2345678901234568e+17",
    "1.5e300, 1.5e+300",
    "5e-324, 5e-324",
    "-2.5e-7, -2.5e-07",
    "0, 0.0",
    "-0.0, -0.0",
    "1e22, 1e+22",
    "9007199254740993, 9007199254740992.0",
    "1234567.891, 1234567.891",
    "2e-323, 2e-323",
    "1.7976931348623157e308, 1.7976931348623157e+308",
    "100.5, 100.5",
    "9999999999999998, 9999999999999998.0",
    "Infinity, Infinity",
    "-Infinity, -Infinity",
    "NaN, NaN"
  })
  void doublesLookLikePython(double value, String expected) {
    assertThat(Json.of(value).literal()).isEqualTo(expected);
  }

  @Test
  void doublesRoundTrip() {
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 20_000; i++) {
      double value = Double.longBitsToDouble(random.nextLong());
      assertThat(Json.of(value).doubleValue()).isEqualTo(Double.valueOf(value));
    }
  }

  @Test
  void everyGoldenConfigIsRewrittenByteForByte() throws IOException {
    int visited = 0;
    List<Path> files;
    try (Stream<Path> walk = Files.walk(TestData.path("golden"))) {
      files = walk.filter(file -> file.getFileName().toString().equals("config.json")).toList();
    }
    for (Path file : files) {
      String text = Files.readString(file);
      String ending = text.endsWith("\n") ? "\n" : "";
      assertThat(JsonWriter.pretty(JsonReader.read(file)) + ending).as("%s", file).isEqualTo(text);
      visited++;
    }
    assertThat(visited).isEqualTo(59); // grows with testdata/golden
  }

  @Test
  void randomTreesSurviveBothLooks() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 2_000; i++) {
      Json tree = randomJson(random, 4);
      assertThat(parse(JsonWriter.compact(tree))).isEqualTo(tree);
      assertThat(parse(JsonWriter.pretty(tree))).isEqualTo(tree);
    }
  }

  private static Json randomJson(SplittableRandom random, int depth) {
    return switch (random.nextInt(depth == 0 ? 5 : 7)) {
      case 0 -> Json.of(random.nextLong());
      case 1 -> Json.of(Double.longBitsToDouble(random.nextLong()));
      case 2 -> Json.of(randomText(random));
      case 3 -> Json.of(random.nextBoolean());
      case 4 -> Json.Null.NULL;
      case 5 -> {
        List<Json> items = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          items.add(randomJson(random, depth - 1));
        }
        yield Json.of(items);
      }
      default -> {
        Map<String, Json> members = new LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          members.put(randomText(random), randomJson(random, depth - 1));
        }
        yield Json.Obj.of(members);
      }
    };
  }

  private static String randomText(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(6); i > 0; i--) {
      int limit = random.nextBoolean() ? 0x80 : 0x11_0000;
      int point = random.nextInt(limit);
      text.appendCodePoint(point >= 0xd800 && point < 0xe000 ? '"' : point);
    }
    return text.toString();
  }

  @Test
  void quoteShortensAndEscapes() {
    assertThat(JsonWriter.quote("a\n\"b\"")).isEqualTo("\"a\\n\\\"b\\\"\"");
    assertThat(JsonWriter.quote("x".repeat(5_000))).hasSizeLessThan(250).endsWith("...\"");
  }

  @Test
  void codePointOrderIsTheOrderOfUtf8Bytes() {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 20_000; i++) {
      String a = randomText(random);
      String b = randomText(random);
      int bytes =
          Arrays.compareUnsigned(
              a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
      assertThat(Integer.signum(JsonWriter.byCodePoint().compare(a, b)))
          .isEqualTo(Integer.signum(bytes));
    }
  }
}
