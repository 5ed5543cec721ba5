package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  private static final SortedMap<String, String> NONE = Collections.emptySortedMap();

  @TempDir Path folder;
  private Path path;

  @BeforeEach
  void choosePath() {
    path = folder.resolve("out.safetensors");
  }

  private static MemorySegment bytes(int size, int value) {
    byte[] array = new byte[size];
    Arrays.fill(array, (byte) value);
    return MemorySegment.ofArray(array);
  }

  private SafetensorsWriter writer(TensorSpec... specs) {
    return SafetensorsWriter.create(path, List.of(specs), NONE);
  }

  @Test
  void writesTheReferenceBytes() throws IOException {
    // What the reference implementation writes for these tensors, zeros as data.
    String expected =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
            + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,5]},"
            + "\"z10\":{\"dtype\":\"U8\",\"shape\":[0,3],\"data_offsets\":[5,5]},"
            + "\"z2\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[5,6]},"
            + "\"é\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[6,7]},"
            + "\"\uffee\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[7,8]},"
            + "\"😀\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]}}";
    List<TensorSpec> specs =
        List.of(
            TensorSpec.of("😀", DType.U8, 1),
            TensorSpec.of("\uffee", DType.U8, 1),
            TensorSpec.of("z2", DType.U8, 1),
            TensorSpec.of("z10", DType.U8, 0, 3),
            TensorSpec.of("é", DType.U8, 1),
            TensorSpec.of("a", DType.U8, 1),
            TensorSpec.of("s", DType.F32));
    SortedMap<String, String> metadata = new TreeMap<>(Map.of("format", "pt"));
    try (SafetensorsWriter writer = SafetensorsWriter.create(path, specs, metadata)) {
      specs.forEach(spec -> writer.write(spec.name(), 0, bytes((int) spec.bytes(), 0)));
    }
    byte[] file = Files.readAllBytes(path);
    int jsonBytes = expected.getBytes(StandardCharsets.UTF_8).length;
    int padded = Math.ceilDiv(jsonBytes, 8) * 8;
    assertThat(file).hasSize(8 + padded + 9);
    assertThat(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong()).isEqualTo(padded);
    assertThat(new String(file, 8, padded, StandardCharsets.UTF_8))
        .isEqualTo(expected + " ".repeat(padded - jsonBytes));
  }

  @Test
  void ordersTypesAsTheReferenceDoes() {
    // Found by writing one tensor of each type with the Python package safetensors 0.8.0; it cannot
    // write
    // the two F6 types, whose place follows from the order of the format's own list.
    List<String> reference =
        List.of(
            "U64",
            "I64",
            "F64",
            "C64",
            "F32",
            "U32",
            "I32",
            "BF16",
            "F16",
            "U16",
            "I16",
            "F8_E5M2FNUZ",
            "F8_E4M3FNUZ",
            "F8_E8M0",
            "F8_E4M3",
            "F8_E5M2",
            "I8",
            "U8",
            "F6_E3M2",
            "F6_E2M3",
            "F4",
            "BOOL");
    List<TensorSpec> specs = new ArrayList<>();
    for (DType dtype : DType.values()) {
      specs.add(TensorSpec.of(dtype.name().toLowerCase(Locale.ROOT), dtype, 8));
    }
    assertThat(SafetensorsLayout.of(specs, NONE).tensors())
        .extracting(tensor -> tensor.dtype().name())
        .containsExactlyElementsOf(reference);
  }

  @Test
  void emptyMetadataIsNotWritten() {
    assertThat(new String(SafetensorsLayout.of(List.of(), NONE).header(), StandardCharsets.UTF_8))
        .isEqualTo("\b\0\0\0\0\0\0\0{}      ");
  }

  @Test
  void refusesWhatNoFileCanHold() {
    TensorSpec a = TensorSpec.of("a", DType.U8, 1);
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> SafetensorsLayout.of(List.of(a, TensorSpec.of("a", DType.I8, 1)), NONE))
        .withMessageContaining("\"a\" occurs twice");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> TensorSpec.of("__metadata__", DType.U8, 1))
        .withMessageContaining("reserved");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> TensorSpec.of("\ud800", DType.U8, 1))
        .withMessageContaining("surrogate");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> TensorSpec.of("a", DType.F4, 3))
        .withMessageContaining("F4 [3] does not fill whole bytes");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> TensorSpec.of("a", DType.U8, -1))
        .withMessageContaining("negative dimension");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> TensorSpec.of("a", DType.U8, Long.MAX_VALUE, 2))
        .withMessageContaining("too large");
    String longName = "x".repeat(50_000_000);
    List<TensorSpec> tooMany =
        List.of(TensorSpec.of(longName, DType.U8, 1), TensorSpec.of(longName + "y", DType.U8, 1));
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> SafetensorsLayout.of(tooMany, NONE))
        .withMessageContainingAll("readers accept at most 100000000", "smaller shards");
  }

  @Test
  void piecesArriveInAnyOrderFromAnyThread() throws IOException {
    int size = 1 << 20;
    byte[] data = new byte[size];
    new SplittableRandom(8).nextBytes(data);
    try (SafetensorsWriter writer =
            writer(TensorSpec.of("a", DType.U8, 16), TensorSpec.of("b", DType.BF16, size / 2));
        Arena arena = Arena.ofShared()) {
      MemorySegment source = arena.allocate(size).copyFrom(MemorySegment.ofArray(data));
      writer.write("a", 8, bytes(8, 2));
      IntStream.range(0, 1_024)
          .map(i -> (i * 389) % 1_024)
          .parallel()
          .forEach(
              i -> writer.write("b", i * 1_024L, source.asSlice(i * 1_024L, 1_024).asReadOnly()));
      writer.write("a", 0, bytes(8, 1));
      writer.force();
    }
    try (SafetensorsFile file = SafetensorsFile.open(path);
        Arena arena = Arena.ofConfined()) {
      TensorInfo b = file.find("b").orElseThrow();
      assertThat(file.map(b, 0, size, arena).mismatch(MemorySegment.ofArray(data))).isEqualTo(-1);
      TensorInfo a = file.find("a").orElseThrow();
      assertThat(file.map(a, 7, 2, arena).toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2);
    }
  }

  @Test
  void aPieceLargerThanTheChunkIsWrittenWhole() throws IOException {
    int size = (1 << 21) + 5;
    byte[] data = new byte[size];
    new SplittableRandom(9).nextBytes(data);
    try (SafetensorsWriter writer = writer(TensorSpec.of("a", DType.U8, size))) {
      writer.write("a", 0, MemorySegment.ofArray(data));
    }
    byte[] file = Files.readAllBytes(path);
    assertThat(Arrays.copyOfRange(file, file.length - size, file.length)).isEqualTo(data);
  }

  @Test
  void aGapIsAnErrorAndTheFileGoes() {
    SafetensorsWriter writer =
        writer(TensorSpec.of("a", DType.U8, 10), TensorSpec.of("b", DType.U8, 10));
    writer.write("a", 0, bytes(10, 1));
    writer.write("b", 0, bytes(4, 1));
    writer.write("b", 5, bytes(5, 1));
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(writer::close)
        .withMessageContainingAll(
            "out.safetensors is incomplete and was removed",
            "tensor \"b\": byte 4 of 10 was never written");
    assertThat(path).doesNotExist();
    writer.close();
  }

  @Test
  void aTensorNobodyWroteIsAnError() {
    SafetensorsWriter writer = writer(TensorSpec.of("a", DType.U8, 10));
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(writer::close)
        .withMessageContaining("tensor \"a\": byte 0 of 10 was never written");
    assertThat(path).doesNotExist();
  }

  @Test
  void aByteWrittenTwiceIsAnError() {
    try (SafetensorsWriter writer = writer(TensorSpec.of("a", DType.U8, 10))) {
      writer.write("a", 4, bytes(3, 1));
      int refused = 0;
      for (int begin = 0; begin < 10; begin++) {
        for (int end = begin + 1; end <= 10; end++) {
          if (begin < 7 && end > 4) {
            int from = begin;
            int size = end - begin;
            assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> writer.write("a", from, bytes(size, 2)))
                .withMessageContaining(
                    "bytes %d to %d are written twice", Math.max(begin, 4), Math.min(end, 7));
            refused++;
          }
        }
      }
      assertThat(refused).isEqualTo(39);
      writer.write("a", 7, bytes(3, 1));
      writer.write("a", 0, bytes(4, 1));
    }
    assertThat(path).exists();
  }

  @Test
  void piecesThatDoNotFitAreErrors() {
    try (SafetensorsWriter writer = writer(TensorSpec.of("a", DType.U8, 10))) {
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> writer.write("a", 5, bytes(6, 0)));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> writer.write("a", -1, bytes(1, 0)));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> writer.write("b", 0, bytes(1, 0)))
          .withMessageContaining("no tensor \"b\"");
      writer.write("a", 10, bytes(0, 0));
      writer.write("a", 0, bytes(10, 0));
    }
    assertThat(path).exists();
  }

  @Test
  void aWriteThatFailsLeavesNoFileBehind() {
    SafetensorsWriter writer = writer(TensorSpec.of("a", DType.U8, 10));
    // The one failure of a write that a test can have everywhere: an interrupt closes the channel.
    Thread.currentThread().interrupt();
    try {
      assertThatExceptionOfType(CheckpointException.class)
          .isThrownBy(() -> writer.write("a", 0, bytes(10, 1)))
          .withMessageContainingAll(
              "out.safetensors: cannot be written", "ClosedByInterrupt", "free space");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(writer::close)
        .withMessageContaining("10 bytes failed or are still being written");
    assertThat(path).doesNotExist();
  }

  @Test
  void abortRemovesTheFile() {
    SafetensorsWriter writer = writer(TensorSpec.of("a", DType.U8, 10));
    writer.abort();
    assertThat(path).doesNotExist();
    writer.close();
    writer.abort();
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> writer.write("a", 0, bytes(1, 0)))
        .withMessageContaining("is closed");
  }

  @Test
  void anExistingFileIsNeverTouched() throws IOException {
    Files.writeString(path, "mine");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> writer(TensorSpec.of("a", DType.U8, 10)))
        .withMessageContainingAll("out.safetensors", "exists already", "Choose another output");
    assertThat(path).hasContent("mine");
    path = folder.resolve("none/out.safetensors");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> writer(TensorSpec.of("a", DType.U8, 10)))
        .withMessageContainingAll("cannot be written", "Check permissions");
  }

  @Test
  void randomFilesRoundTrip() throws IOException {
    SplittableRandom random = new SplittableRandom(42);
    for (int round = 0; round < 60; round++) {
      path = folder.resolve("round" + round);
      Map<String, byte[]> data = new HashMap<>();
      List<TensorSpec> specs = new ArrayList<>();
      for (int i = random.nextInt(12); i > 0; i--) {
        TensorSpec spec = randomSpec(random, "t" + random.nextInt(1_000_000));
        byte[] content = new byte[(int) spec.bytes()];
        random.nextBytes(content);
        if (data.put(spec.name(), content) == null) {
          specs.add(spec);
        }
      }
      SortedMap<String, String> metadata = new TreeMap<>();
      for (int i = random.nextInt(3); i > 0; i--) {
        metadata.put("k\n" + i, "v\"😀" + i);
      }
      try (SafetensorsWriter writer = SafetensorsWriter.create(path, specs, metadata)) {
        for (TensorSpec spec : specs) {
          MemorySegment content = MemorySegment.ofArray(data.get(spec.name()));
          long cut = content.byteSize() == 0 ? 0 : random.nextLong(content.byteSize());
          writer.write(spec.name(), cut, content.asSlice(cut));
          writer.write(spec.name(), 0, content.asSlice(0, cut));
        }
        assertThat(writer.layout().headerBytes() % 8).isZero();
      }
      try (SafetensorsFile file = SafetensorsFile.open(path);
          Arena arena = Arena.ofConfined()) {
        assertThat(file.metadata()).isEqualTo(metadata);
        assertThat(file.tensors())
            .extracting(TensorInfo::spec)
            .containsExactlyInAnyOrderElementsOf(specs);
        assertThat(file.tensors()).isEqualTo(SafetensorsLayout.of(specs, metadata).tensors());
        for (TensorInfo tensor : file.tensors()) {
          MemorySegment content = MemorySegment.ofArray(data.get(tensor.name()));
          assertThat(file.map(tensor, 0, tensor.bytes(), arena).mismatch(content)).isEqualTo(-1);
        }
      }
    }
  }

  private static TensorSpec randomSpec(SplittableRandom random, String name) {
    DType[] types = DType.values();
    long[] shape = new long[random.nextInt(4)];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = random.nextInt(6);
    }
    DType dtype = types[random.nextInt(types.length)];
    if (dtype.bits() < 8) {
      // Eight elements of any type fill whole bytes.
      shape = new long[] {8, random.nextInt(5)};
    }
    return TensorSpec.of(name, dtype, shape);
  }
}
