package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code docs/parity.md} says what a run of now finds. {@code -Dquern.updateDocs=true} among the
 * test JVM's arguments writes it anew.
 */
class ParityTableTest {
  private static final Path PAGE = TestData.project().resolve("docs/parity.md");
  private static final String BEGIN = "<!-- made by ParityTableTest -->\n";

  @TempDir Path temp;

  @Test
  void thePageHoldsTheTable() throws Exception {
    StringBuilder table = new StringBuilder(BEGIN);
    table.append(
        "| scheme | observer | source | dtype | tensors | equal | `quantization_config` equal |\n");
    table.append("|---|---|---|---|---:|---:|---|\n");
    List<GoldenCase> goldens = GoldenCase.withoutCalibration().toList();
    int tensors = 0;
    int equal = 0;
    for (GoldenCase golden : goldens) {
      Path output = temp.resolve(golden.name());
      Quern.compress(golden.options(output), Progress.NONE);
      int[] counts = compare(output, golden.folder());
      tensors += counts[0];
      equal += counts[1];
      table.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s | %d | %d | %s |%n",
              golden.scheme(),
              golden.observer(),
              golden.shape(),
              golden.dtype(),
              counts[0],
              counts[1],
              configuration(output).equals(configuration(golden.folder())) ? "yes" : "no"));
    }
    table.append(
        String.format(
            Locale.ROOT,
            "%n%d checkpoints, %d tensors compared, %d equal.%n",
            goldens.size(),
            tensors,
            equal));
    assertThat(goldens).hasSizeGreaterThan(40);

    String page = Files.readString(PAGE);
    String expected = page.substring(0, page.indexOf(BEGIN)) + table;
    if (Boolean.getBoolean("quern.updateDocs")) {
      Files.writeString(PAGE, expected);
    }
    assertThat(Files.readString(PAGE)).isEqualTo(expected);
  }

  /** Tensors of either side, and how many have the same name, dtype, shape and bytes in both. */
  private static int[] compare(Path ours, Path theirs) {
    int equal = 0;
    int onlyOurs = 0;
    try (HuggingFaceCheckpoint found = HuggingFaceCheckpoint.open(ours);
        HuggingFaceCheckpoint expected = HuggingFaceCheckpoint.open(theirs);
        Arena arena = Arena.ofConfined()) {
      for (SourceTensor tensor : found.tensors()) {
        Optional<SourceTensor> other = expected.find(tensor.name());
        onlyOurs += other.isEmpty() ? 1 : 0;
        boolean same =
            other.isPresent()
                && other.get().info().spec().equals(tensor.info().spec())
                && bytes(tensor, arena).mismatch(bytes(other.get(), arena)) == -1;
        equal += same ? 1 : 0;
      }
      return new int[] {expected.tensors().size() + onlyOurs, equal};
    }
  }

  private static MemorySegment bytes(SourceTensor tensor, Arena arena) {
    return tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
  }

  private static Json.Obj configuration(Path folder) {
    return JsonReader.readObject(folder.resolve("config.json"))
        .object("quantization_config")
        .orElseThrow()
        .without("version");
  }
}
