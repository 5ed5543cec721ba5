package dev.quern.bench;

import dev.quern.engine.kernel.KernelChoice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a forked JVM says about itself, and what it must be: a column of the table is worthless when
 * its JVM quietly ran other kernels.
 *
 * @param provider which kernels ran
 * @param vectorBits their width
 * @param reason why these
 * @param jdk version, vendor and virtual machine
 */
record ForkReport(String provider, int vectorBits, String reason, String jdk) {
  /** Width that the kernels of this JVM must have; not set when anything goes. */
  static final String EXPECTED_BITS = "quern.bench.vectorBits";

  /** The file that the fork writes its report into; not set when nobody reads it. */
  static final String FILE = "quern.bench.report";

  /** Called by every fork: refuses the wrong kernels, and reports. */
  static void require(KernelChoice choice) {
    require(choice, Integer.getInteger(EXPECTED_BITS, choice.vectorBits()));
    String file = System.getProperty(FILE);
    if (file != null) {
      new ForkReport(choice.provider(), choice.vectorBits(), choice.reason(), jdkOfThisJvm())
          .write(Path.of(file));
    }
  }

  static void require(KernelChoice choice, int expected) {
    if (choice.vectorBits() != expected) {
      throw new IllegalStateException(
          "this JVM was started for kernels of "
              + expected
              + " bits and has "
              + choice.vectorBits()
              + " ("
              + choice.reason()
              + "); run on a machine that has them, or leave this column out");
    }
  }

  static String jdkOfThisJvm() {
    return System.getProperty("java.vm.vendor")
        + " "
        + System.getProperty("java.runtime.version")
        + ", "
        + System.getProperty("java.vm.name");
  }

  void write(Path file) {
    try {
      Files.write(file, List.of(provider, Integer.toString(vectorBits), reason, jdk));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ForkReport read(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return new ForkReport(lines.get(0), Integer.parseInt(lines.get(1)), lines.get(2), lines.get(3));
  }
}
