package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.archive.ArchiveType;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The reference's checkpoints, packed and had back byte for byte. */
class PackTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "W4A16-bf16, marlin, marlin-i4-a16@1",
    "W4A16-f16, marlin-i4-a8, marlin-i4-a8@1",
    "W4A16-bf16, marlin-i4-f8@1, marlin-i4-f8@1",
    "W4A16-bf16, gptq, gptq-v2@1",
    "W4A16-bf16, exllama2, exllama2-i4@1",
    "W4A16_ASYM-bf16, marlin, marlin-i4-a16@1",
    "W4A16_ASYM-f16, awq, awq-gemm@1",
    "W4A16_ASYM-bf16, gptq-v1, gptq-v1@1",
    "W3A16-bf16, gptq, gptq-v2@1",
    "W2A16-bf16, gptq, gptq-v2@1",
    "GPTQ-W4A16-group-bf16, marlin, marlin-i4-a16@1",
    "GPTQ-W4A16-group-bf16, exllama2, exllama2-i4@1",
    "W8A16-bf16, marlin, marlin-i8-a16@1",
    "W8A16-f16, allspark, allspark-i8@1",
    "W4AFP8-pack-bf16, triton-w4a16, triton-w4a16@1",
    "FP8_DYNAMIC-bf16, marlin, marlin-fp8-bf16@1",
    "FP8_BLOCK-f16, marlin, marlin-fp8-fp16@1",
    "FP8-bf16, marlin, marlin-fp8-bf16@1",
    "NVFP4A16-bf16, marlin, marlin-nvfp4-bf16@1",
    "NVFP4-bf16, marlin, marlin-nvfp4-bf16@1",
    "MXFP4A16-f16, marlin, marlin-mx4@1",
    "MXFP8-bf16, marlin, marlin-mx8@1"
  })
  void unpacksToTheInput(String golden, String layout, String expected) throws Exception {
    Path model = model(golden);
    Path packed = folder.resolve("packed");
    PackReport report = Quern.pack(PackOptions.of(model, packed, layout), Progress.NONE);
    assertThat(report.modules()).containsOnlyKeys(expected);
    // AllSpark takes no groups, and those modules stay as they are.
    assertThat(report.kept().isEmpty()).isEqualTo(!layout.equals("allspark"));
    Quern.unpack(UnpackOptions.of(packed, folder.resolve("back")), Progress.NONE);
    assertSame(folder.resolve("back"), model);
  }

  /** Layouts of kernels that take some of these modules, and leave the others as they are. */
  @ParameterizedTest
  @CsvSource({
    "W4A16-bf16, machete, machete-i4@1",
    "W4A16_ASYM-bf16, machete, machete-i4@1",
    "GPTQ-W4A16-group-bf16, machete, machete-i4@1",
    "W8A16-f16, machete, machete-i8@1",
    "W4A16-bf16, cutlass-w4a8, cutlass-w4a8@1",
    "NVFP4-bf16, sf-128x4, sf-128x4-nvfp4@1",
    "MXFP4-bf16, sf-128x4, sf-128x4-mx4@1",
    "MXFP8-bf16, sf-128x4, sf-128x4-mx8@1",
    "NVFP4A16-bf16, trtllm, trtllm-nvfp4@1",
    "MXFP4-bf16, trtllm, trtllm-mx4@1",
    "MXFP8-bf16, trtllm, trtllm-mx8@1",
    "FP8-bf16, trtllm, trtllm-fp8@1",
    "FP8_BLOCK-bf16, trtllm, trtllm-fp8-block@1",
    "FP8_BLOCK-f32, deepgemm-sm90, deepgemm-sm90@1",
    "FP8_BLOCK-f16, deepgemm, deepgemm-sm90@1",
    "MXFP8-bf16, deepgemm-sm100, deepgemm-sm100-mx8@1",
    "FP8_DYNAMIC-bf16, aiter-fp8, aiter-fp8@1",
    "FP8_DYNAMIC-f16, aiter-fp8-fnuz, aiter-fp8-fnuz@1",
    "FP8-bf16, fnuz, fnuz-fp8@1",
    "FP8_BLOCK-bf16, fnuz, fnuz-fp8@1",
    "MXFP4-bf16, aiter-mx4, aiter-mx4@1",
    "W4A16-f16, cpu-wna16, cpu-wna16-i4@1",
    "W8A8-bf16, cpu-amx-i8, cpu-amx-i8@1",
    "FP8_DYNAMIC-bf16, cpu-amx-fp8, cpu-amx-fp8@1"
  })
  void unpacksToTheInputWhatOneGenerationReads(String golden, String layout, String expected)
      throws Exception {
    assertComesBack(model(golden), layout, expected);
  }

  /** Weights that are not quantized. */
  @ParameterizedTest
  @CsvSource({"aiter-bf16, aiter-bf16@1", "cpu, cpu-amx-bf16@1"})
  void plainCheckpointsComeBack(String layout, String expected) throws Exception {
    assertComesBack(TestData.path("golden/source/plain-bf16"), layout, expected);
  }

  /** Of a model that was pruned to 2:4, with zeros of both signs. */
  @ParameterizedTest
  @CsvSource({
    "none, sm80-24, sm80-24-16@1",
    "none, sm90-24, sm90-24-16@1",
    "W8A8, sm80-24-i8, sm80-24-i8@1",
    "W8A8, sm90-24-i8, sm90-24-i8@1",
    "FP8_DYNAMIC, sm90-24-fp8, sm90-24-fp8@1",
    "W4A16, marlin24, marlin24-i4@1",
    "W8A16, marlin24, marlin24-i8@1"
  })
  void prunedCheckpointsComeBack(String scheme, String layout, String expected) throws Exception {
    Path pruned = pruned();
    Path model = pruned;
    if (!scheme.equals("none")) {
      model = folder.resolve("model");
      Quern.compress(CompressionOptions.of(pruned, model, scheme), Progress.NONE);
    }
    assertComesBack(model, layout, expected);
  }

  /** DeepGEMM on Blackwell wants scales that are powers of two, and says so. */
  @Test
  void scalesThatArePowersOfTwoComeBackFromExponents() throws Exception {
    Path blocks = model("FP8_BLOCK-bf16");
    assertThatThrownBy(
            () ->
                Quern.pack(
                    PackOptions.of(blocks, folder.resolve("p"), "deepgemm-sm100@1"), Progress.NONE))
        .hasMessageContaining("powers of two");
    Path model = edited(blocks, "weight_scale", bits -> bits & 0xFF80);
    assertComesBack(model, "deepgemm-sm100", "deepgemm-sm100@1");
  }

  @Test
  void saysWhyOpaqueLayoutsCannotBePacked() {
    Path out = folder.resolve("out");
    for (String name : new String[] {"cusparselt", "oneDNN", "KleidiAI"}) {
      assertThatThrownBy(
              () -> Quern.pack(PackOptions.of(model("W4A16-bf16"), out, name), Progress.NONE))
          .isInstanceOf(QuernException.class)
          .hasMessageContaining("packed ahead");
    }
    assertThatThrownBy(
            () -> Quern.pack(PackOptions.of(model("W8A8-bf16"), out, "sm80-24"), Progress.NONE))
        .hasMessageContaining("at most two of each four");
    assertThat(out).doesNotExist();
  }

  private void assertComesBack(Path model, String layout, String expected) throws Exception {
    Path packed = folder.resolve("packed");
    PackReport report = Quern.pack(PackOptions.of(model, packed, layout), Progress.NONE);
    assertThat(report.modules()).containsOnlyKeys(expected);
    assertThat(report.kept().values()).allMatch(reason -> reason.contains("expected "));
    Quern.unpack(UnpackOptions.of(packed, folder.resolve("back")), Progress.NONE);
    assertSame(folder.resolve("back"), model);
  }

  /**
   * A source of F16 in which of each four weights of a layer two are zero, one of them negative.
   */
  private Path pruned() throws Exception {
    int[] number = {0};
    return edited(
        TestData.path("golden/source/plain-f16"),
        "proj.weight",
        bits ->
            switch (number[0]++ % 4) {
              case 0 -> 0;
              case 3 -> 0x8000;
              default -> bits;
            });
  }

  /** A copy of a model in which 16-bit elements of some tensors are others. */
  private Path edited(Path model, String suffix, IntUnaryOperator change) throws Exception {
    Path copy = Files.createDirectories(folder.resolve("edited"));
    try (Stream<Path> files = Files.list(model)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, copy.resolve(file.getFileName().toString()));
      }
    }
    Path weights = copy.resolve("model.safetensors");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(weights)).order(ByteOrder.LITTLE_ENDIAN);
    int data = 8 + (int) bytes.getLong(0);
    try (SafetensorsFile file = SafetensorsFile.open(weights)) {
      for (TensorInfo tensor : file.tensors()) {
        for (long at = tensor.begin();
            tensor.name().endsWith(suffix) && at < tensor.end();
            at += 2) {
          int place = data + (int) at;
          bytes.putShort(place, (short) change.applyAsInt(bytes.getShort(place) & 0xFFFF));
        }
      }
    }
    Files.write(weights, bytes.array());
    return copy;
  }

  private static Path model(String golden) {
    return TestData.path("golden/schemes").resolve(golden);
  }

  @ParameterizedTest
  @EnumSource
  void archivesGiveTheInputBackAndAreTheSameEachTime(ArchiveType type) throws Exception {
    Path model = model("W4A16-bf16");
    PackOptions options =
        PackOptions.of(model, folder.resolve("a"), "marlin").withArchive(type).withThreads(1);
    Path first = Quern.pack(options, Progress.NONE).output();
    assertThat(first).isEqualTo(folder.resolve("a." + type.suffix())).isRegularFile();
    byte[] bytes = Files.readAllBytes(first);
    assertThatThrownBy(() -> Quern.pack(options, Progress.NONE))
        .hasMessageContaining("exists already");
    Quern.pack(options.withOverwrite(true).withThreads(3), Progress.NONE);
    assertThat(Files.readAllBytes(first)).isEqualTo(bytes);
    Quern.unpack(UnpackOptions.of(first, folder.resolve("back")), Progress.NONE);
    assertSame(folder.resolve("back"), model);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(p -> p.getFileName().toString()))
          .containsExactlyInAnyOrder("a." + type.suffix(), "back");
    }
  }

  /** Several shards, an index, a folder of other files, a module that no layout takes. */
  @Test
  void shardsAndOtherFilesComeBack() throws Exception {
    Path source = TestData.path("golden/source/plain-bf16");
    Path model = folder.resolve("model");
    Quern.compress(
        CompressionOptions.of(source, model, "W4A16").withMaxShardBytes(60_000), Progress.NONE);
    Files.createDirectories(model.resolve("notes/more"));
    Files.writeString(model.resolve("notes/more/a.txt"), "kept");
    Path packed = folder.resolve("packed");
    Quern.pack(PackOptions.of(model, packed, "marlin").withThreads(2), Progress.NONE);
    Json.Obj layout = JsonReader.readObject(packed.resolve("layout.json"));
    assertThat(layout.array("shards").orElseThrow()).hasSizeGreaterThan(1);
    Quern.unpack(UnpackOptions.of(packed, folder.resolve("back")), Progress.NONE);
    assertSame(folder.resolve("back"), model);
  }

  @Test
  void layoutFileSaysWhereEveryBitIs() throws Exception {
    Path packed = folder.resolve("packed");
    Quern.pack(PackOptions.of(model("W4A16-bf16"), packed, "marlin"), Progress.NONE);
    Json.Obj layout = JsonReader.readObject(packed.resolve("layout.json"));
    Json.Obj module = (Json.Obj) layout.array("modules").orElseThrow().getFirst();
    assertThat(module.string("layout")).contains("marlin-i4-a16@1");
    Json.Obj weight = (Json.Obj) module.array("tensors").orElseThrow().getFirst();
    assertThat(weight.string("layout")).contains("marlin-i4-a16@1");
    assertThat(weight.object("strides").orElseThrow().array("rows").orElseThrow())
        .containsExactly(
            Json.of(128), Json.of(256), Json.of(512), Json.of(2), Json.of(8), Json.of(16));
    assertThat(weight.string("sha256").orElseThrow()).hasSize(64);
  }

  @Test
  void refusesWhatIsDamaged() throws Exception {
    Path packed = folder.resolve("packed");
    Quern.pack(PackOptions.of(model("W4A16-bf16"), packed, "marlin"), Progress.NONE);
    Path tensors = packed.resolve("packed-00001-of-00001.safetensors");
    byte[] sound = Files.readAllBytes(tensors);
    byte[] damaged = sound.clone();
    damaged[damaged.length / 2] ^= 1;
    Files.write(tensors, damaged);
    assertRefused(packed, "SHA-256");
    Files.write(tensors, sound);

    String json = Files.readString(packed.resolve("layout.json"));
    for (String[] change :
        new String[][] {
          {"\"model.safetensors\"", "\"../model.safetensors\"", "plain name"},
          {"\"config.json\"", "\"a/../../config.json\"", "plain name"},
          {"\"layout-1\"", "\"layout-9\"", "layout-1"},
          {
            "\"layout\": \"marlin-i4-a16@1\",\n      \"n\"",
            "\"layout\": \"none@1\",\n      \"n\"",
            "unknown layout none@1"
          },
          {"marlin-i4-a16@1\",\n      \"n\"", "marlin-i8-a16@1\",\n      \"n\"", "8 bits"},
          {"\"carried\"", "\"carriage\"", "carried"},
        }) {
      assertThat(json).contains(change[0]);
      Files.writeString(
          packed.resolve("layout.json"),
          json.replace(change[0], change[1]),
          StandardCharsets.UTF_8);
      assertRefused(packed, change[2]);
    }
    Files.delete(packed.resolve("layout.json"));
    assertRefused(packed, "layout.json");
  }

  private void assertRefused(Path packed, String word) {
    Path back = folder.resolve("back");
    assertThatThrownBy(() -> Quern.unpack(UnpackOptions.of(packed, back), Progress.NONE))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining(word);
    assertThat(back).doesNotExist();
  }

  @Test
  void refusesLayoutsThatFitNothing() {
    Path out = folder.resolve("out");
    Path fp8 = model("FP8_DYNAMIC-bf16");
    assertThatThrownBy(() -> Quern.pack(PackOptions.of(fp8, out, "gptq"), Progress.NONE))
        .hasMessageContaining("no module")
        .hasMessageContaining("E4M3 of 8 bits");
    assertThatThrownBy(() -> Quern.pack(PackOptions.of(fp8, out, "marlon"), Progress.NONE))
        .hasMessageContaining("unknown layout")
        .hasMessageContaining("marlin-fp8-bf16@1");
    Path plain = TestData.path("golden/source/plain-bf16");
    assertThatThrownBy(() -> Quern.pack(PackOptions.of(plain, out, "gptq"), Progress.NONE))
        .hasMessageContaining("compressed-tensors");
    assertThatThrownBy(() -> PackOptions.of(fp8, out, "marlin").withArchive("rar"))
        .hasMessageContaining("tar.zst or zip");
    assertThat(out).doesNotExist();
  }

  private static void assertSame(Path found, Path expected) throws IOException {
    Map<String, Path> expectedFiles = files(expected);
    assertThat(files(found)).containsOnlyKeys(expectedFiles.keySet());
    for (Map.Entry<String, Path> file : expectedFiles.entrySet()) {
      assertThat(Files.mismatch(found.resolve(file.getKey()), file.getValue()))
          .as(file.getKey())
          .isEqualTo(-1);
    }
  }

  private static Map<String, Path> files(Path root) throws IOException {
    Map<String, Path> files = new TreeMap<>();
    try (Stream<Path> walk = Files.walk(root)) {
      walk.filter(Files::isRegularFile).forEach(f -> files.put(root.relativize(f).toString(), f));
    }
    return files;
  }
}
