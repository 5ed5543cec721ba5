package dev.quern.bench;

import dev.quern.engine.numeric.FloatType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The command line of {@link BenchTable}.
 *
 * @param quick one short round
 * @param rounds how often everything is measured
 * @param filter labels of rows to measure
 * @param types types of weights
 * @param threads numbers of threads
 * @param mebibytes size of each thread's matrix
 * @param json where to write all measurements
 */
record BenchOptions(
    boolean quick,
    int rounds,
    Pattern filter,
    List<FloatType> types,
    List<Integer> threads,
    int mebibytes,
    Optional<Path> json) {
  static final String USAGE =
      """
      bench/run [--quick] [--rounds N] [--filter REGEX] [--types bf16,f16,f32] [--threads 1,2]
                [--mib N] [--json FILE]
        Prints one table: FP8 kernels and conversions beside a plain copy, AVX-512 and AVX2.
          --quick         one round of short measurements, about two minutes
          --rounds N      how often everything is measured (3; about four minutes each)
          --filter REGEX  only rows whose label holds a match; the copy always runs
          --types LIST    types of weights (bf16)
          --threads LIST  numbers of threads (1,2)
          --mib N         matrix of each thread in MiB (128); far more than the last cache
          --json FILE     also write every measurement
      bench/run synthetic --size 2g --shards 2 --output DIR
        Writes a Llama-shaped bf16 checkpoint of about that size.
      bench/run linalg [--sizes LIST] [--threads LIST] [--seconds N] [--filter REGEX]
        Prints one table: matrix products and factors beside the peak of multiply-adds.
      bench/run jmh ARGUMENTS
        Runs JMH itself; -h lists its options.
      """;

  static BenchOptions parse(String... args) {
    boolean quick = false;
    int rounds = 0;
    Pattern filter = Pattern.compile("");
    List<FloatType> types = List.of(FloatType.BF16);
    List<Integer> threads = List.of(1, 2);
    int mebibytes = 128;
    Optional<Path> json = Optional.empty();
    for (int i = 0; i < args.length; i++) {
      String option = args[i];
      if (option.equals("--quick")) {
        quick = true;
        continue;
      }
      if (i + 1 == args.length) {
        throw new IllegalArgumentException(
            List.of("--rounds", "--filter", "--types", "--threads", "--mib", "--json")
                    .contains(option)
                ? option + " needs a value"
                : "unknown option " + option);
      }
      String value = args[++i];
      switch (option) {
        case "--rounds" -> rounds = positive(option, value);
        case "--filter" -> filter = pattern(value);
        case "--types" -> types = types(value);
        case "--threads" -> threads = threads(value);
        case "--mib" -> mebibytes = positive(option, value);
        case "--json" -> json = Optional.of(Path.of(value));
        default -> throw new IllegalArgumentException("unknown option " + option);
      }
    }
    if (rounds == 0) {
      rounds = quick ? 1 : 3;
    }
    if (mebibytes > 1 << 20) {
      throw new IllegalArgumentException("--mib " + mebibytes + ": at most " + (1 << 20));
    }
    return new BenchOptions(quick, rounds, filter, types, threads, mebibytes, json);
  }

  private static int positive(String option, String value) {
    try {
      int number = Integer.parseInt(value);
      if (number > 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below, as for numbers that are too small.
    }
    throw new IllegalArgumentException(
        option + " " + value + ": expected a whole number of at least 1");
  }

  private static Pattern pattern(String value) {
    try {
      return Pattern.compile(value, Pattern.CASE_INSENSITIVE);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "--filter " + value + ": not a regular expression: " + e.getDescription(), e);
    }
  }

  private static List<FloatType> types(String value) {
    List<FloatType> types = new ArrayList<>();
    for (String name : value.split(",")) {
      try {
        types.add(FloatType.valueOf(name.strip().toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("--types " + value + ": expected bf16, f16 or f32", e);
      }
    }
    return types.stream().distinct().toList();
  }

  private static List<Integer> threads(String value) {
    List<Integer> threads = new ArrayList<>();
    for (String number : value.split(",")) {
      threads.add(positive("--threads", number.strip()));
    }
    return threads.stream().distinct().toList();
  }
}
