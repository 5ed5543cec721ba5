package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Calibrated runs that are killed, as by {@code kill -9}, and started again with the same command:
 * the output has the same bytes as that of a run that nobody disturbed.
 *
 * <p>A few kills, each after a certain layer. {@code -Dquern.kills=N} among {@code
 * quern.testJvmArgs} adds N at moments drawn from the whole time of a run.
 */
class KilledRunTest {
  private static final int KILLS = Integer.getInteger("quern.kills", 0);

  @TempDir Path temp;
  private Path data;

  @BeforeEach
  void samples() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    String lines =
        IntStream.range(0, 24)
            .mapToObj(
                _ ->
                    random
                        .ints(20 + random.nextInt(40), 3, 500)
                        .mapToObj(Integer::toString)
                        .collect(Collectors.joining(", ", "{\"input_ids\": [", "]}\n")))
            .collect(Collectors.joining());
    data = Files.writeString(temp.resolve("ids.jsonl"), lines);
  }

  @Test
  void goesOnAfterAnyLayer() throws Exception {
    Map<String, String> expected = undisturbed("W8A8");
    for (int layer : new int[] {0, 2, 3}) {
      Process process = start("W8A8", temp.resolve("killed.err"));
      Path record = temp.resolve(".out.quern-journal/layer-" + layer);
      while (process.isAlive() && !Files.exists(record)) {
        Thread.onSpinWait();
      }
      process.destroyForcibly().waitFor();
      assertThat(temp.resolve("out")).doesNotExist();
    }
    assertThat(complete("W8A8")).containsPattern("warning: [45] of 5 layers were found in .*out");
    assertThat(FolderState.of(temp.resolve("out"))).isEqualTo(expected);
    assertThat(temp.resolve(".out.quern-journal")).doesNotExist();
  }

  @Test
  void anotherCommandBeginsAnewAndSaysSo() throws Exception {
    Map<String, String> expected = undisturbed("FP8_DYNAMIC");
    Process process = start("W8A8", temp.resolve("killed.err"));
    while (process.isAlive() && !Files.exists(temp.resolve(".out.quern-journal/layer-1"))) {
      Thread.onSpinWait();
    }
    process.destroyForcibly().waitFor();
    assertThat(complete("FP8_DYNAMIC"))
        .contains("was left by a run with other options, another model or other samples")
        .doesNotContain("layers were found");
    assertThat(FolderState.of(temp.resolve("out"))).isEqualTo(expected);
  }

  @Test
  void goesOnAfterAnyMoment() throws Exception {
    if (KILLS == 0) {
      return;
    }
    long begin = System.nanoTime();
    Map<String, String> expected = undisturbed("W8A8");
    long whole = System.nanoTime() - begin;
    SplittableRandom random = new SplittableRandom(2026);
    int kills = 0;
    int ends = 0;
    int resumed = 0;
    while (kills < KILLS || ends == 0) {
      Path err = temp.resolve("killed.err");
      Process process = start("W8A8", err);
      boolean ended = process.waitFor(random.nextLong(whole), TimeUnit.NANOSECONDS);
      if (!ended) {
        process.destroyForcibly().waitFor();
        kills++;
        if (kills < KILLS) {
          continue;
        }
        complete("W8A8");
      }
      ends++;
      resumed += Files.readString(err).contains("layers were found") ? 1 : 0;
      assertThat(FolderState.of(temp.resolve("out"))).isEqualTo(expected);
      remove(temp.resolve("out"));
    }
    System.out.printf("%d kills, %d ends compared, %d resumed%n", kills, ends, resumed);
  }

  private Map<String, String> undisturbed(String scheme) throws Exception {
    complete(scheme);
    Map<String, String> state = FolderState.of(temp.resolve("out"));
    assertThat(state).containsKey("model.safetensors");
    remove(temp.resolve("out"));
    return state;
  }

  private static void remove(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  private String complete(String scheme) throws Exception {
    Path err = temp.resolve("complete.err");
    Process process = start(scheme, err);
    assertThat(process.waitFor()).as(Files.readString(err)).isZero();
    return Files.readString(err, StandardCharsets.UTF_8);
  }

  private Process start(String scheme, Path err) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("compress", TestData.project() + "/testdata/models/stories260K-hf"));
    command.addAll(List.of("--scheme", scheme, "--algorithm", "gptq", "--threads", "2"));
    command.addAll(List.of("--calibration", data.toString()));
    command.addAll(List.of("--output", temp.resolve("out").toString()));
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(err.toFile())
        .start();
  }
}
