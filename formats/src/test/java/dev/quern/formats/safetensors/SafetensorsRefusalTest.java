package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.quern.formats.CheckpointException;
import dev.quern.testdata.RawSafetensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One test for each check of a header, with the parts of its message. */
class SafetensorsRefusalTest {
  @TempDir Path folder;

  private void refuses(byte[] file, String... parts) {
    Path path = RawSafetensors.write(folder.resolve("bad.safetensors"), file);
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> SafetensorsFile.open(path).close())
        .withMessageContaining("bad.safetensors")
        .withMessageContainingAll(parts)
        .satisfies(e -> assertThat(e.remedy()).endsWith("."));
  }

  private void refuses(String header, int dataBytes, String... parts) {
    refuses(RawSafetensors.bytes(header, new byte[dataBytes]), parts);
  }

  private static String tensor(String name, String dtype, String shape, String offsets) {
    return String.format(
        Locale.ROOT,
        "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}",
        name,
        dtype,
        shape,
        offsets);
  }

  private static String header(String... tensors) {
    return "{" + String.join(",", tensors) + "}";
  }

  @Test
  void fileShorterThanEightBytes() {
    refuses(new byte[0], "at least 8 bytes", "found a file of 0");
    refuses(new byte[7], "at least 8 bytes", "found a file of 7", "fetch it again");
  }

  @Test
  void headerLengthOverTheCap() {
    refuses(
        RawSafetensors.bytes(100_000_001, new byte[2], new byte[0]),
        "byte 0",
        "header length is 100000001; expected at most 100000000");
    refuses(RawSafetensors.bytes(-1, new byte[2], new byte[0]), "18446744073709551615");
    refuses(RawSafetensors.bytes(Long.MIN_VALUE, new byte[2], new byte[0]), "9223372036854775808");
  }

  @Test
  void headerLengthBeyondTheFile() {
    refuses(
        RawSafetensors.bytes(100_000_000, "{}".getBytes(StandardCharsets.UTF_8), new byte[0]),
        "byte 0",
        "header length is 100000000, but only 2 bytes follow");
  }

  @Test
  void headerNotStartingWithABrace() {
    refuses(" {}", 0, "byte 8", "start with '{'", "0x20");
    refuses("[]", 0, "byte 8", "start with '{'", "0x5b");
    refuses("", 0, "start with '{'", "an empty header");
  }

  @Test
  void headerNotUtf8() {
    refuses(
        RawSafetensors.bytes(new byte[] {'{', '"', (byte) 0xc3, '"', '}'}, new byte[0]),
        "byte 10",
        "expected UTF-8",
        "0xc3");
  }

  @Test
  void headerNotJson() {
    refuses("{\"é\": nope}", 0, "byte 15", "header is not valid JSON");
    refuses("{", 0, "header is not valid JSON");
    refuses("{}x", 0, "header is not valid JSON");
    refuses("{}{}", 0, "header is not valid JSON", "follows the closing brace");
    refuses("{}\0", 0, "header is not valid JSON");
    refuses("{\"a\":".repeat(60_000), 0, "header is not valid JSON", "depth");
    refuses("{\"a\":{\"x\":" + "[".repeat(60_000), 0, "header is not valid JSON", "depth");
    refuses("{\"\\ud800\":{}}", 0, "not valid JSON", "surrogate");
  }

  @Test
  void tensorNameTwice() {
    String a = tensor("a", "U8", "[1]", "[0,1]");
    refuses(header(a, a), 1, "tensor name \"a\" stands twice", "byte 61");
    refuses(header(a, tensor("\\u0061", "U8", "[1]", "[1,2]")), 2, "\"a\" stands twice");
  }

  @Test
  void metadataNotStrings() {
    refuses("{\"__metadata__\":1}", 0, "__metadata__ should be an object, found a whole number");
    refuses(
        "{\"__metadata__\":{\"k\":1}}",
        0,
        "__metadata__ entry \"k\" should be a string, found a whole number");
    refuses("{\"__metadata__\":{\"k\":{}}}", 0, "should be a string, found an object");
    refuses("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "entry \"k\" stands twice");
    refuses("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "\"__metadata__\" stands twice");
  }

  @Test
  void entryOfTheWrongKind() {
    refuses("{\"a\":1}", 0, "tensor \"a\" should be an object, found a whole number");
    refuses("{\"a\":null}", 0, "tensor \"a\" should be an object, found null");
    refuses(
        "{\"a\":[\"U8\",[1],[0,1]]}",
        1,
        "byte 13",
        "tensor \"a\" should be an object, found a list");
  }

  @Test
  void memberMissing() {
    refuses("{\"a\":{\"shape\":[],\"data_offsets\":[0,1]}}", 1, "tensor \"a\" has no dtype");
    refuses("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "tensor \"a\" has no shape");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 1, "tensor \"a\" has no data_offsets");
  }

  @Test
  void memberTwice() {
    refuses("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0, "tensor \"a\": dtype stands twice");
    refuses("{\"a\":{\"shape\":[],\"shape\":[]}}", 0, "tensor \"a\": shape stands twice");
    refuses(
        "{\"a\":{\"data_offsets\":[0,1],\"data_offsets\":[0,1]}}", 0, "data_offsets stands twice");
  }

  @Test
  void memberOfTheWrongKind() {
    refuses("{\"a\":{\"dtype\":8}}", 0, "tensor \"a\": dtype should be a string");
    refuses("{\"a\":{\"shape\":8}}", 0, "tensor \"a\": shape should be a list of whole numbers");
    refuses("{\"a\":{\"shape\":[\"8\"]}}", 0, "list of whole numbers, found a string");
    refuses("{\"a\":{\"shape\":[8.0]}}", 0, "found a number with a fraction or exponent");
    refuses("{\"a\":{\"shape\":[1e2]}}", 0, "found a number with a fraction or exponent");
    refuses("{\"a\":{\"shape\":[[1]]}}", 0, "list of whole numbers, found a list");
    refuses("{\"a\":{\"data_offsets\":{}}}", 0, "data_offsets should be a list of whole numbers");
    refuses(
        "{\"a\":{\"data_offsets\":[0]}}", 0, "data_offsets should be two whole numbers, found 1");
    refuses("{\"a\":{\"data_offsets\":[0,1,2]}}", 0, "two whole numbers, found 3");
    refuses("{\"a\":{\"data_offsets\":[]}}", 0, "two whole numbers, found 0");
  }

  @Test
  void negativeNumbers() {
    refuses(header(tensor("a", "U8", "[-1]", "[0,1]")), 1, "shape holds -1", "no negative number");
    refuses(header(tensor("a", "U8", "[-0]", "[0,0]")), 0, "shape holds -0");
    refuses(header(tensor("a", "U8", "[1]", "[-1,0]")), 1, "data_offsets holds -1");
  }

  @Test
  void numbersBeyond63Bits() {
    refuses(
        header(tensor("a", "U8", "[9223372036854775808]", "[0,1]")),
        1,
        "shape holds 9223372036854775808; expected at most 9223372036854775807");
    refuses(header(tensor("a", "U8", "[" + "9".repeat(900) + "]", "[0,1]")), 1, "shape holds 9999");
    refuses(
        header(tensor("a", "U8", "[" + "9".repeat(90_000) + "]", "[0,1]")), 1, "not valid JSON");
  }

  @Test
  void unknownDtype() {
    refuses(
        header(tensor("a", "F3", "[1]", "[0,1]")),
        1,
        "byte 9",
        "tensor \"a\"",
        "unknown dtype \"F3\"",
        "F8_E4M3",
        "Convert the tensor");
    refuses(header(tensor("a", "f32", "[1]", "[0,4]")), 4, "unknown dtype \"f32\"");
  }

  @Test
  void elementCountOverflow() {
    refuses(
        header(tensor("a", "U8", "[4294967296,4294967296]", "[0,1]")),
        1,
        "tensor \"a\": shape [4294967296, 4294967296] has more elements than 64 bits count");
    refuses(
        header(tensor("a", "U8", "[4611686018427387904,4611686018427387904,0]", "[0,0]")),
        0,
        "more elements than 64 bits count");
  }

  @Test
  void bitCountOverflow() {
    refuses(
        header(tensor("a", "F64", "[1152921504606846976]", "[0,1]")),
        1,
        "F64 [1152921504606846976] has more bits than 64 bits count");
  }

  @Test
  void partOfAByte() {
    refuses(
        header(tensor("a", "F4", "[3]", "[0,2]")), 2, "F4 [3] takes 12 bits; expected whole bytes");
    refuses(header(tensor("a", "F6_E2M3", "[2]", "[0,2]")), 2, "F6_E2M3 [2] takes 12 bits");
  }

  @Test
  void endBeforeBegin() {
    refuses(
        header(tensor("a", "U8", "[4]", "[64,60]")),
        4,
        "data_offsets [64, 60] end before they begin");
  }

  @Test
  void sizeDisagreesWithTheSpan() {
    refuses(
        header(tensor("a", "BF16", "[2,3]", "[0,10]")),
        10,
        "BF16 [2, 3] takes 12 bytes, but data_offsets [0, 10] span 10");
    refuses(header(tensor("a", "U8", "[]", "[0,0]")), 0, "U8 [] takes 1 bytes");
  }

  @Test
  void hole() {
    refuses(
        header(tensor("a", "U8", "[1]", "[0,1]"), tensor("b", "U8", "[1]", "[2,3]")),
        3,
        "byte 61",
        "tensor \"b\": data_offsets [2, 3] leave a hole before; expected begin 1, found 2");
    refuses(header(tensor("a", "U8", "[1]", "[1,2]")), 2, "leave a hole before; expected begin 0");
  }

  @Test
  void overlap() {
    refuses(
        header(tensor("a", "U8", "[2]", "[0,2]"), tensor("b", "U8", "[2]", "[1,3]")),
        3,
        "tensor \"b\": data_offsets [1, 3] overlap the tensor before; expected begin 2, found 1");
    String same = tensor("a", "U8", "[2]", "[0,2]");
    refuses(header(same, tensor("b", "U8", "[2]", "[0,2]")), 2, "overlap the tensor before");
  }

  @Test
  void fileTooShortOrTooLong() {
    String header = header(tensor("a", "U8", "[4]", "[0,4]"));
    refuses(
        header,
        3,
        "tensor \"a\"",
        "promises 4 bytes of tensor data, found 3 (1 missing)",
        "cut off");
    refuses(header, 5, "promises 4 bytes of tensor data, found 5");
    refuses("{}", 1, "promises 0 bytes of tensor data, found 1");
  }

  @Test
  void longShapesAreShortenedInMessages() {
    String shape = "[" + "2,".repeat(5_000) + "2]";
    Path path =
        RawSafetensors.write(folder.resolve("long"), header(tensor("a", "U8", shape, "[0,1]")), 1);
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> SafetensorsFile.open(path))
        .withMessageContaining("... (5001 dimensions) has more elements")
        .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(1_000));
  }

  @Test
  void pathThatIsNoFile() throws IOException {
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> SafetensorsFile.open(folder.resolve("none.safetensors")))
        .withMessageContainingAll("none.safetensors", "no such file", "download");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> SafetensorsFile.open(folder))
        .withMessageContainingAll("expected a file, found a folder");
    Path special = Path.of("/dev/null");
    if (Files.exists(special)) {
      assertThatExceptionOfType(CheckpointException.class)
          .isThrownBy(() -> SafetensorsFile.open(special))
          .withMessageContainingAll("expected a file, found a special file");
    }
  }
}
