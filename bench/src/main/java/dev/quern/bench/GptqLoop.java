package dev.quern.bench;

import dev.quern.engine.solver.GptqResult;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Solves the same layer once for each line on standard input, so that another program can take
 * turns with it: {@code bench/beside-reference.py} does.
 *
 * <p>Each answer is a line: milliseconds of the solve, operations in a nanosecond of multiply-adds
 * that stay in registers, measured right before and after (the better one), operations that a solve
 * must do, and the loss.
 */
public final class GptqLoop {
  private static final String USAGE =
      """
      bench/run gptq SIZE THREADS [FILE]
        Writes the layer to FILE, then solves it once for each line of standard input.
      """;

  private GptqLoop() {}

  /** See the usage. */
  public static void main(String[] args) throws Exception {
    if (args.length < 2 || args.length > 3) {
      System.err.print(USAGE);
      System.exit(2);
    }
    try (GptqProblem problem =
        new GptqProblem(Integer.parseInt(args[0]), Integer.parseInt(args[1]))) {
      if (args.length == 3) {
        problem.write(Path.of(args[2]));
      }
      System.out.println("ready");
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      while (lines.readLine() != null) {
        turn(problem);
      }
    }
  }

  private static void turn(GptqProblem problem) throws Exception {
    double before = problem.peak();
    double milliseconds;
    double loss;
    try (Arena target = Arena.ofShared()) {
      long start = System.nanoTime();
      GptqResult result = problem.solve(target, problem.n);
      milliseconds = (System.nanoTime() - start) * 1e-6;
      loss = result.loss();
    }
    double peak = Math.max(before, problem.peak());
    System.out.printf(
        Locale.ROOT, "%.1f %.2f %.6e %.6e%n", milliseconds, peak, problem.operations(), loss);
  }
}
