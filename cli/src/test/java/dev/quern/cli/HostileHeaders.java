package dev.quern.cli;

import static dev.quern.cli.HostileCase.Scene;

import dev.quern.testdata.RawSafetensors;
import dev.quern.testdata.TinyCheckpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Safetensors files that fail one step of the reader's list each. */
final class HostileHeaders {
  private static final String FETCH = "fetch it again";

  private HostileHeaders() {}

  static List<HostileCase> cases() {
    List<HostileCase> cases = new ArrayList<>();
    bytes(cases, "empty file", "file of 0", new byte[0]);
    bytes(cases, "file shorter than its prefix", "file of 5", new byte[5]);
    bytes(cases, "header length negative", "byte 0", RawSafetensors.bytes(-1, ascii("{}"), none()));
    bytes(
        cases,
        "header longer than the cap",
        "header length is 100000001",
        RawSafetensors.bytes(100_000_001, ascii("{}"), none()));
    bytes(
        cases,
        "header longer than the file",
        "header length is 5000",
        RawSafetensors.bytes(5000, ascii("{}"), none()));
    bytes(cases, "empty header", "byte 8", RawSafetensors.bytes(0, none(), none()));
    header(cases, "header that is a list", "byte 8", "[1]");
    header(cases, "header that starts with a space", "byte 8", " {}");
    header(cases, "header that is no JSON", "not valid JSON", "{\"a\":}");
    header(cases, "header that ends too early", "not valid JSON", "{\"a\":{\"dtype\":\"F32\"");
    header(cases, "text after the header", "follows the closing brace", "{} {}");
    bytes(
        cases,
        "header that is not UTF-8",
        "byte 10",
        RawSafetensors.bytes(new byte[] {'{', '"', (byte) 0xff, '"', '}'}, none()));
    entry(cases, "tensor that is no object", "\"a\" should be an object", "3");
    entry(cases, "no dtype", "no dtype", "{\"shape\":[1],\"data_offsets\":[0,4]}");
    entry(cases, "no shape", "no shape", "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}");
    entry(cases, "no offsets", "no data_offsets", "{\"dtype\":\"F32\",\"shape\":[1]}");
    entry(cases, "dtype that is a number", "dtype should be a string", tensor("7", "[1]", "[0,4]"));
    entry(cases, "shape that is a text", "shape should be a list", tensor("", "\"1\"", "[0,4]"));
    entry(cases, "a size with a fraction", "whole numbers", tensor("", "[1.5]", "[0,4]"));
    entry(cases, "three offsets", "two whole numbers", tensor("", "[1]", "[0,4,8]"));
    entry(cases, "negative size", "-1", tensor("", "[-1]", "[0,4]"));
    entry(cases, "negative offset", "-4", tensor("", "[1]", "[-4,0]"));
    entry(cases, "size beyond 64 bits", "at most", tensor("", "[99999999999999999999]", "[0,4]"));
    entry(
        cases,
        "sizes whose product overflows",
        "more elements than 64 bits",
        tensor("", "[4294967296,4294967296]", "[0,4]"));
    entry(
        cases,
        "sizes whose bits overflow",
        "more bits than 64 bits",
        tensor("", "[4611686018427387904]", "[0,4]"));
    entry(cases, "half a byte", "whole bytes", tensor("\"F4\"", "[1]", "[0,1]"));
    entry(cases, "end before begin", "end before they begin", tensor("", "[1]", "[4,0]"));
    entry(cases, "size and offsets disagree", "span 4", tensor("", "[2]", "[0,4]"));
    two(cases, "overlapping tensors", "overlap the tensor before", "[0,4]", "[2,6]");
    two(cases, "hole between tensors", "leave a hole before", "[0,4]", "[5,9]");
    two(cases, "hole before the first tensor", "leave a hole before", "[1,5]", "[5,9]");
    header(
        cases,
        "name that stands twice",
        "tensor name \"a\" stands twice",
        "{\"a\":" + tensor("", "[1]", "[0,4]") + ",\"a\":" + tensor("", "[1]", "[0,4]") + "}");
    header(
        cases,
        "metadata that is no text",
        "__metadata__ entry \"x\" should be a string",
        "{\"__metadata__\":{\"x\":1}}");
    cases.add(
        new HostileCase(
            "unknown dtype",
            ExitCode.INPUT,
            "tensor \"a\": unknown dtype \"F13\"",
            "Convert the tensor to one of these types",
            scene -> file(scene, "{\"a\":" + tensor("\"F13\"", "[1]", "[0,4]") + "}", 4)));
    cases.add(
        new HostileCase(
            "bytes after the last tensor",
            ExitCode.INPUT,
            "model.safetensors",
            FETCH,
            scene -> resize(scene, +3)));
    cases.add(
        new HostileCase(
            "file cut off in its data",
            ExitCode.INPUT,
            "(3 missing)",
            "cut off while it was written or fetched; fetch it again",
            scene -> resize(scene, -3)));
    cases.add(
        new HostileCase(
            "file cut off in its header",
            ExitCode.INPUT,
            "model.safetensors, byte 0",
            "cut off or is not safetensors; fetch it again",
            scene -> {
              scene.sound();
              Path file = scene.in().resolve("model.safetensors");
              Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 200));
            }));
    return cases;
  }

  private static void resize(Scene scene, int bytes) throws Exception {
    scene.sound();
    Path file = scene.in().resolve("model.safetensors");
    byte[] before = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(before, before.length + bytes));
  }

  private static void two(
      List<HostileCase> cases, String name, String place, String first, String second) {
    header(
        cases,
        name,
        place,
        "{\"a\":" + tensor("", "[1]", first) + ",\"b\":" + tensor("", "[1]", second) + "}");
  }

  private static void entry(List<HostileCase> cases, String name, String place, String entry) {
    header(cases, name, place, "{\"a\":" + entry + "}");
  }

  private static void header(List<HostileCase> cases, String name, String place, String header) {
    cases.add(
        new HostileCase(name, ExitCode.INPUT, place, FETCH, scene -> file(scene, header, 16)));
  }

  private static void bytes(List<HostileCase> cases, String name, String place, byte[] bytes) {
    cases.add(
        new HostileCase(
            name,
            ExitCode.INPUT,
            place,
            FETCH,
            scene -> {
              scene.sound();
              Files.write(scene.in().resolve("model.safetensors"), bytes);
            }));
  }

  private static void file(Scene scene, String header, int dataBytes) {
    TinyCheckpoint.writeText(scene.in(), "config.json", "{}");
    RawSafetensors.write(scene.in().resolve("model.safetensors"), header, dataBytes);
  }

  private static String tensor(String dtype, String shape, String offsets) {
    String type = dtype.isEmpty() ? "\"F32\"" : dtype;
    return "{\"dtype\":" + type + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] none() {
    return new byte[0];
  }
}
