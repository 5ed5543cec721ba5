package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.testdata.RawSafetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
  @TempDir Path folder;

  private SafetensorsFile open(String header, byte[] data) {
    return SafetensorsFile.open(
        RawSafetensors.write(
            folder.resolve("model.safetensors"), RawSafetensors.bytes(header, data)));
  }

  @Test
  void readsTensorsInFileOrder() {
    String header =
        """
        {"z":{"dtype":"BF16","shape":[2,3],"data_offsets":[1,13]},
         "__metadata__":{"format":"pt","a":"é"},
         "scalar":{"dtype":"U8","shape":[],"data_offsets":[0,1],"future":[{"x":[1]}]}}
        """;
    try (SafetensorsFile file = open(header, new byte[13])) {
      assertThat(file.tensors())
          .containsExactly(
              new TensorInfo("scalar", DType.U8, List.of(), 0, 1),
              new TensorInfo("z", DType.BF16, List.of(2L, 3L), 1, 13));
      assertThat(file.metadata()).containsEntry("format", "pt").containsEntry("a", "é").hasSize(2);
      TensorInfo z = file.find("z").orElseThrow();
      assertThat(z.elements()).isEqualTo(6);
      assertThat(z.bytes()).isEqualTo(12);
      assertThat(z.rank()).isEqualTo(2);
      assertThat(z.dim(1)).isEqualTo(3);
      assertThat(file.find("scalar").orElseThrow().elements()).isEqualTo(1);
      assertThat(file.find("none")).isEmpty();
      assertThat(file.fileBytes())
          .isEqualTo(8 + header.getBytes(StandardCharsets.UTF_8).length + 13);
    }
  }

  @Test
  void acceptsTensorsWithoutBytesAnywhere() {
    String header =
        """
        {"c":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},
         "a":{"dtype":"F32","shape":[0,4294967296],"data_offsets":[0,0]},
         "b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}
        """;
    try (SafetensorsFile file = open(header, new byte[1]);
        Arena arena = Arena.ofConfined()) {
      assertThat(file.tensors()).extracting(TensorInfo::name).containsExactly("a", "b", "c");
      for (TensorInfo tensor : file.tensors()) {
        assertThat(file.map(tensor, 0, tensor.bytes(), arena).byteSize()).isEqualTo(tensor.bytes());
      }
    }
  }

  @Test
  void acceptsEmptyFilesAndPadding() {
    for (String header : List.of("{}", "{}      ", "{}\n\t ", "{\"__metadata__\":null}")) {
      try (SafetensorsFile file = open(header, new byte[0])) {
        assertThat(file.tensors()).isEmpty();
        assertThat(file.metadata()).isEmpty();
      }
    }
  }

  @Test
  void knowsTheSizeOfEveryType() {
    int visited = 0;
    for (DType dtype : DType.values()) {
      String header =
          String.format(
              Locale.ROOT,
              "{\"t\":{\"dtype\":\"%s\",\"shape\":[8],\"data_offsets\":[0,%d]}}",
              dtype,
              dtype.bits());
      try (SafetensorsFile file = open(header, new byte[dtype.bits()])) {
        assertThat(file.tensors().getFirst().dtype()).isEqualTo(dtype);
        visited++;
      }
    }
    assertThat(visited).isEqualTo(22);
  }

  @Test
  void mapsAnyWindowReadOnly() {
    byte[] data = new byte[20_000];
    new SplittableRandom(1).nextBytes(data);
    String header =
        """
        {"pad":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},
         "t":{"dtype":"U8","shape":[19997],"data_offsets":[3,20000]}}\
        """;
    SplittableRandom random = new SplittableRandom(2);
    try (SafetensorsFile file = open(header, data)) {
      TensorInfo t = file.find("t").orElseThrow();
      for (int i = 0; i < 500; i++) {
        int offset = random.nextInt(19_998);
        int length = random.nextInt(19_998 - offset);
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment window = file.map(t, offset, length, arena);
          assertThat(window.isReadOnly()).isTrue();
          assertThat(window.mismatch(MemorySegment.ofArray(data).asSlice(3 + offset, length)))
              .isEqualTo(-1);
        }
      }
      Arena arena = Arena.global();
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> file.map(t, 1, 19_997, arena));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> file.map(t, -1, 1, arena));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(
              () -> file.map(new TensorInfo("t", DType.I8, t.shape(), 3, 20_000), 0, 1, arena))
          .withMessageContaining("is not a tensor of");
    }
  }

  @Test
  void mapsFromManyThreads() {
    byte[] data = new byte[100_000];
    new SplittableRandom(4).nextBytes(data);
    try (SafetensorsFile file =
            open(
                "{\"t\":{\"dtype\":\"U8\",\"shape\":[100000],\"data_offsets\":[0,100000]}}", data);
        Arena arena = Arena.ofShared()) {
      TensorInfo t = file.tensors().getFirst();
      long equal =
          IntStream.range(0, 1_000)
              .parallel()
              .filter(
                  i ->
                      file.map(t, i * 100L, 100, arena).get(ValueLayout.JAVA_BYTE, 7)
                          == data[i * 100 + 7])
              .count();
      assertThat(equal).isEqualTo(1_000);
    }
  }

  @Test
  void noticesThatTheFileWasCutAfterOpening() throws IOException {
    try (SafetensorsFile file =
        open(
            "{\"t\":{\"dtype\":\"U8\",\"shape\":[100],\"data_offsets\":[0,100]}}", new byte[100])) {
      try (FileChannel channel = FileChannel.open(file.path(), StandardOpenOption.WRITE)) {
        channel.truncate(file.fileBytes() - 1);
      }
      TensorInfo t = file.tensors().getFirst();
      assertThatExceptionOfType(CheckpointException.class)
          .isThrownBy(() -> file.map(t, 0, 1, Arena.global()))
          .withMessageContainingAll("model.safetensors", "when it was opened", "now");
    }
  }

  @Test
  void readsAHeaderOfTenThousandTensors() {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i < 10_000; i++) {
      header
          .append(i == 0 ? "" : ",")
          .append("\"model.layers.")
          .append(i)
          .append(".weight\":{\"dtype\":\"U8\",\"shape\":[2,1],\"data_offsets\":[")
          .append(2 * i)
          .append(',')
          .append(2 * i + 2)
          .append("]}");
    }
    try (SafetensorsFile file = open(header.append('}').toString(), new byte[20_000])) {
      assertThat(file.tensors()).hasSize(10_000);
      assertThat(file.find("model.layers.9999.weight").orElseThrow().begin()).isEqualTo(19_998);
    }
  }
}
