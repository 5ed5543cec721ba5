package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files of the reference implementation, written again from their own tensors, are the same bytes.
 */
class SafetensorsGoldenTest {
  /**
   * Its header has spaces after commas and colons: a script wrote it, not the reference
   * implementation.
   */
  private static final Path OTHER_WRITER = Path.of("stories260K-hf", "model.safetensors");

  @TempDir Path folder;

  @Test
  void everyReferenceFileIsRewrittenByteForByte() throws IOException {
    int equal = 0;
    int different = 0;
    for (Path source : safetensors()) {
      Path copy = folder.resolve("copy" + (equal + different));
      rewrite(source, copy);
      if (source.endsWith(OTHER_WRITER)) {
        assertSameTensors(source, copy);
        different++;
      } else {
        assertThat(Files.mismatch(source, copy)).as("%s", source).isEqualTo(-1);
        equal++;
      }
    }
    assertThat(equal).isEqualTo(104); // grows with testdata
    assertThat(different).isEqualTo(1);
  }

  private static List<Path> safetensors() throws IOException {
    List<Path> files = new ArrayList<>();
    for (String root : List.of("golden", "models")) {
      try (Stream<Path> walk = Files.walk(TestData.path(root))) {
        walk.filter(file -> file.toString().endsWith(".safetensors")).sorted().forEach(files::add);
      }
    }
    return files;
  }

  private static void rewrite(Path source, Path copy) {
    try (SafetensorsFile file = SafetensorsFile.open(source);
        SafetensorsWriter writer =
            SafetensorsWriter.create(
                copy, file.tensors().stream().map(TensorInfo::spec).toList(), file.metadata())) {
      for (TensorInfo tensor : file.tensors()) {
        try (Arena arena = Arena.ofConfined()) {
          writer.write(tensor.name(), 0, file.map(tensor, 0, tensor.bytes(), arena));
        }
      }
    }
  }

  private static void assertSameTensors(Path first, Path second) {
    try (SafetensorsFile a = SafetensorsFile.open(first);
        SafetensorsFile b = SafetensorsFile.open(second);
        Arena arena = Arena.ofConfined()) {
      assertThat(b.metadata()).isEqualTo(a.metadata());
      assertThat(b.tensors()).hasSameSizeAs(a.tensors());
      for (TensorInfo tensor : a.tensors()) {
        TensorInfo other = b.find(tensor.name()).orElseThrow();
        assertThat(other.spec()).isEqualTo(tensor.spec());
        assertThat(
                b.map(other, 0, other.bytes(), arena)
                    .mismatch(a.map(tensor, 0, tensor.bytes(), arena)))
            .isEqualTo(-1);
      }
    }
  }
}
