package dev.quern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Measures one row in one fresh JVM. */
final class ForkRunner implements AutoCloseable {
  /** What every forked JVM gets. */
  static final List<String> JVM_ARGS =
      List.of(
          "--add-modules",
          "jdk.incubator.vector",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseSerialGC",
          "-Xms256m",
          "-Xmx256m",
          "-XX:+AlwaysPreTouch");

  private static final int LOG_LINES = 30;

  private final boolean quick;
  private final Path folder;
  private final Path log;
  private final Path report;

  ForkRunner(boolean quick) throws IOException {
    this.quick = quick;
    folder = Files.createTempDirectory("quern-bench-");
    log = folder.resolve("jmh.log");
    report = folder.resolve("fork.txt");
  }

  /**
   * GB/s of weights, all threads together.
   *
   * @throws IllegalStateException when the fork failed, with the end of its output
   */
  double measure(Row row, Leg leg) throws IOException {
    List<String> jvmArgs = new ArrayList<>(JVM_ARGS);
    jvmArgs.addAll(leg.jvmArgs());
    jvmArgs.add("-D" + ForkReport.EXPECTED_BITS + "=" + leg.vectorBits());
    jvmArgs.add("-D" + ForkReport.FILE + "=" + report);
    Options options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(row.method()) + "$")
            .param("type", row.type().name())
            .param("kibibytes", Integer.toString(row.kibibytes()))
            .param("passes", Integer.toString(row.passes()))
            .threads(leg.threads())
            .forks(1)
            .warmupIterations(3)
            .warmupTime(TimeValue.milliseconds(quick ? 200 : 500))
            .measurementIterations(quick ? 2 : 4)
            .measurementTime(TimeValue.milliseconds(quick ? 300 : 500))
            .jvmArgs(jvmArgs.toArray(String[]::new))
            .shouldFailOnError(true)
            .output(log.toString())
            .build();
    try {
      RunResult result = new Runner(options).runSingle();
      double operationsPerSecond = result.getPrimaryResult().getScore();
      return operationsPerSecond * row.bytes() * 1e-9;
    } catch (RunnerException e) {
      throw new IllegalStateException(
          row.label() + " failed with " + leg.title() + ":\n" + endOfLog(), e);
    }
  }

  /** What the last fork said about itself. */
  ForkReport report() throws IOException {
    return ForkReport.read(report);
  }

  private String endOfLog() throws IOException {
    List<String> lines = Files.readAllLines(log);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
  }

  @Override
  public void close() throws IOException {
    Files.deleteIfExists(log);
    Files.deleteIfExists(report);
    Files.deleteIfExists(folder);
  }
}
