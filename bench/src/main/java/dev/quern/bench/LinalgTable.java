package dev.quern.bench;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.MatrixKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures products and factors, and prints one line for each: milliseconds, GFLOP/s, and the share
 * of the peak of multiply-adds, which is measured right before in a JVM of the same kind.
 *
 * <p>Times are the least of a fork: what disturbs a run can only make it slower. The peak likewise
 * is the best.
 */
public final class LinalgTable {
  private static final String USAGE =
      """
      bench/run linalg [--sizes 256,512,1000,1024,1537,2048,4096] [--threads 1,2] [--seconds 3] [--filter REGEX]
        Prints GFLOP/s of products and factors of square matrices beside the peak of multiply-adds.
      """;

  private record Operation(String name, double operations) {}

  private static final List<Operation> OPERATIONS =
      List.of(
          new Operation("gemm", 2),
          new Operation("syrk", 1),
          new Operation("inverseFactor", 2 / 3.0));

  private LinalgTable() {}

  /** See the usage. */
  public static void main(String[] args) throws RunnerException {
    String sizes = "256,512,1000,1024,1537,2048,4096";
    String threads = "1,2";
    int seconds = 3;
    Pattern filter = Pattern.compile("");
    for (int i = 0; i < args.length; i += 2) {
      String value = i + 1 < args.length ? args[i + 1] : "";
      switch (args[i]) {
        case "--sizes" -> sizes = value;
        case "--threads" -> threads = value;
        case "--seconds" -> seconds = Integer.parseInt(value);
        case "--filter" -> filter = Pattern.compile(value);
        default -> {
          System.err.print(USAGE);
          System.exit(2);
        }
      }
    }
    Machine machine = Machine.current();
    System.out.printf(
        Locale.ROOT,
        "%s, %d cores, load %.1f before the run, %s%n",
        machine.cpu(),
        machine.cores(),
        machine.load(),
        ForkReport.jdkOfThisJvm());
    System.out.println("| leg | operation | n | ms | GFLOP/s | peak | share |");
    System.out.println("|-----|-----------|--:|---:|--------:|-----:|------:|");
    List<Integer> counts = numbers(threads);
    for (Leg leg : Leg.of(KernelChoice.current().vectorBits(), Machine.isX86(), counts)) {
      for (int n : numbers(sizes)) {
        for (Operation operation : OPERATIONS) {
          if (filter.matcher(operation.name()).find()) {
            line(leg, operation, n, seconds);
          }
        }
      }
    }
  }

  private static List<Integer> numbers(String list) {
    return Arrays.stream(list.split(",")).map(Integer::parseInt).toList();
  }

  private static void line(Leg leg, Operation operation, int n, int seconds)
      throws RunnerException {
    MatrixKernels kernels = Kernels.best().matrices();
    // Of this JVM's width; a leg of another width has as many lanes less.
    double round =
        (double) kernels.chainOperations() * leg.vectorBits() / KernelChoice.current().vectorBits();
    double peakOperations = round * LinalgBenchmark.Threads.CHAIN * leg.threads();
    double peak = peakOperations / nanoseconds(leg, "peak", 0, 1);
    double time = nanoseconds(leg, operation.name(), n, seconds);
    double rate = operation.operations() * n * n * n / time;
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %d | %.2f | %.1f | %.1f | %.2f |%n",
        leg.title(),
        operation.name(),
        n,
        time * 1e-6,
        rate,
        peak,
        rate / peak);
  }

  /** The shortest time of one operation. */
  private static double nanoseconds(Leg leg, String method, int n, int seconds)
      throws RunnerException {
    List<String> jvmArgs = new ArrayList<>(ForkRunner.JVM_ARGS);
    jvmArgs.addAll(leg.jvmArgs());
    jvmArgs.add("-D" + ForkReport.EXPECTED_BITS + "=" + leg.vectorBits());
    OptionsBuilder options = new OptionsBuilder();
    options.include("^" + Pattern.quote(LinalgBenchmark.class.getName() + "." + method) + "$");
    options.param("workers", Integer.toString(leg.threads()));
    if (n > 0) {
      options.param("n", Integer.toString(n));
    }
    Options built =
        options
            .forks(1)
            .warmupIterations(1)
            .warmupTime(TimeValue.seconds(seconds))
            .measurementIterations(1)
            .measurementTime(TimeValue.seconds(seconds))
            .jvmArgs(jvmArgs.toArray(String[]::new))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    RunResult result = new Runner(built).runSingle();
    return result.getPrimaryResult().getStatistics().getMin();
  }
}
