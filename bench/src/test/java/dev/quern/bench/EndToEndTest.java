package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quern.pipeline.CompressionOptions;
import dev.quern.pipeline.Quern;
import dev.quern.testdata.TestData;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The script measures every scheme that needs no data, unless it is told which. */
class EndToEndTest {
  @Test
  void allSchemesWithoutDataAreMeasured() throws Exception {
    Path anywhere = Path.of("x");
    String all =
        catchThrowable(() -> CompressionOptions.of(anywhere, anywhere, "zzzzzzz"))
            .getMessage()
            .replaceFirst(".*Use one of ", "")
            .replaceFirst("\\.$", "");
    Path model = TestData.path("models/storyteller-4m");
    List<String> withoutData =
        Arrays.stream(all.split(", "))
            .filter(
                scheme ->
                    !Quern.plan(CompressionOptions.of(model, anywhere, scheme)).needsCalibration())
            .toList();
    String script = Files.readString(TestData.path("../bench/end-to-end"), StandardCharsets.UTF_8);
    Matcher list = Pattern.compile("\\|\\| schemes=\\(([A-Z0-9_\\s]+)\\)").matcher(script);
    assertThat(list.find()).isTrue();
    assertThat(Arrays.asList(list.group(1).strip().split("\\s+")))
        .containsExactlyInAnyOrderElementsOf(withoutData);
  }
}
