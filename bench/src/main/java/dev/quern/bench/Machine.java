package dev.quern.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What a figure must be told with.
 *
 * @param cpu model as the system names it
 * @param cores how many the JVM may use
 * @param lastCache size of the largest cache of the first core, or "unknown"
 * @param system operating system
 * @param load the load average of the last minute: how busy others kept it; negative when unknown
 */
record Machine(String cpu, int cores, String lastCache, String system, double load) {
  static Machine current() {
    return new Machine(
        readCpu(),
        Runtime.getRuntime().availableProcessors(),
        readLastCache(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
  }

  static boolean isX86() {
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return arch.equals("amd64") || arch.equals("x86_64");
  }

  private static String readCpu() {
    String name = "";
    String numbers = "";
    for (String line : lines(Path.of("/proc/cpuinfo"))) {
      String value = line.substring(line.indexOf(':') + 1).strip();
      if (line.startsWith("model name") && name.isEmpty()) {
        name = value;
      } else if (line.startsWith("cpu family")) {
        numbers = "family " + value;
      } else if (line.startsWith("model\t")) {
        // Hypervisors shorten the name; family and model still tell the generation.
        numbers += " model " + value;
      } else if (line.isEmpty()) {
        break;
      }
    }
    if (name.isEmpty()) {
      return System.getProperty("os.arch");
    }
    return numbers.isEmpty() ? name : name + " (" + numbers + ")";
  }

  private static String readLastCache() {
    for (int index = 4; index >= 0; index--) {
      Path size = Path.of("/sys/devices/system/cpu/cpu0/cache/index" + index + "/size");
      for (String line : lines(size)) {
        return line;
      }
    }
    return "unknown";
  }

  private static Iterable<String> lines(Path file) {
    try {
      return Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return List.of();
    }
  }
}
