package dev.quern.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * One line of the table of rooms in ARCHITECTURE.md: a package with everything below it that has no
 * line of its own, and what it may use beside itself and the JDK.
 *
 * @param root the package
 * @param mayUse packages, of ours or of libraries; {@link #EVERYTHING} for all
 * @param banned beginnings of names of JDK classes that must not be used
 */
record Room(String root, List<String> mayUse, List<String> banned) {
  private static final String EVERYTHING = "*";
  private static final String VECTOR_API = "jdk.incubator.vector";
  private static final String FASTUTIL = "it.unimi.dsi.fastutil";
  private static final String JACKSON = "com.fasterxml.jackson.core";
  private static final String SNAKEYAML = "org.snakeyaml.engine";

  private static final String ANNOTATION = "dev.quern.engine.annotation";
  private static final String VECTOR_KERNELS = "dev.quern.engine.kernel.vector";

  /** What opens files. */
  private static final List<String> FILES =
      List.of("java.nio.file.", "java.nio.channels.", "java.io.File", "java.io.RandomAccessFile");

  /**
   * Every room, those to come included. A class in none of them fails the test, so a new room gets
   * a line here.
   */
  static final List<Room> ALL =
      List.of(
          engine("annotation"),
          engine("numeric"),
          engine("memory"),
          engine("parallel"),
          engine("kernel", "numeric", "memory"),
          new Room(
              VECTOR_KERNELS,
              List.of(
                  "dev.quern.engine.kernel",
                  "dev.quern.engine.numeric",
                  "dev.quern.engine.memory",
                  VECTOR_API),
              FILES),
          engine("linalg", "numeric", "kernel", "memory", "parallel"),
          engine("quantization", "numeric", "kernel"),
          engine("sparsity", "numeric", "kernel", "parallel"),
          engine(
              "solver",
              "linalg",
              "quantization",
              "sparsity",
              "numeric",
              "kernel",
              "memory",
              "parallel"),
          engine("transform", "linalg", "quantization"),
          engine("evaluation", "linalg", "kernel", "memory", "parallel"),
          engine("model", "linalg", "numeric", "kernel", "memory", "parallel"),
          room(
              "formats",
              "dev.quern.engine.numeric",
              "dev.quern.engine.memory",
              "org.apache.commons.compress",
              JACKSON,
              SNAKEYAML,
              FASTUTIL),
          // Permutations of the bits of a tensor: no files, no JSON, and the engine's moves of
          // elements.
          room(
              "formats.layout",
              "dev.quern.engine.numeric",
              "dev.quern.engine.memory",
              "dev.quern.engine.kernel"),
          // What turns text into ids, native code included; no other format may use it.
          room(
              "formats.text",
              "dev.quern.formats",
              "ai.djl.huggingface.tokenizers",
              "ai.djl.engine"),
          room(
              "formats.calibration",
              "dev.quern.formats",
              "dev.quern.formats.text",
              "dev.quern.engine.numeric"),
          room("pipeline", "dev.quern.engine", "dev.quern.formats", JACKSON, FASTUTIL),
          room("cli", "dev.quern.pipeline", "picocli", "me.tongfei.progressbar"),
          room("spark", "dev.quern.pipeline", "org.apache.spark", "scala"),
          room("testdata", "dev.quern.engine.numeric"),
          room("bench", EVERYTHING));

  private static Room room(String name, String... mayUse) {
    return new Room("dev.quern." + name, List.of(mayUse), List.of(VECTOR_API));
  }

  /** The engine sees no path, and no library but fastutil. */
  private static Room engine(String name, String... rooms) {
    List<String> mayUse = new ArrayList<>(List.of(FASTUTIL));
    for (String room : rooms) {
      mayUse.add("dev.quern.engine." + room);
    }
    List<String> banned = new ArrayList<>(FILES);
    banned.add(VECTOR_API);
    return new Room("dev.quern.engine." + name, mayUse, banned);
  }

  /** The room that a class is in: the line with the longest matching name. */
  static Optional<Room> of(String className) {
    return ALL.stream()
        .filter(room -> isIn(className, room.root))
        .max(Comparator.comparingInt(room -> room.root.length()));
  }

  /** Whether a class in this room may use the class of that name. */
  boolean mayUse(String className) {
    Optional<Room> target = of(className);
    if (target.isPresent()) {
      return mayUse(target.get());
    }
    if (className.startsWith("java.") || className.startsWith("javax.") || isIn(className, "jdk")) {
      return banned.stream().noneMatch(className::startsWith);
    }
    return mayUse.contains(EVERYTHING) || mayUse.stream().anyMatch(name -> isIn(className, name));
  }

  private boolean mayUse(Room target) {
    if (target.root.equals(root) || target.root.equals(ANNOTATION)) {
      return true;
    }
    if (target.root.equals(VECTOR_KERNELS) || target.root.equals("dev.quern.cli")) {
      // Kernels are chosen by engine.kernel, which finds the vector provider by name; nothing needs
      // the command line.
      return false;
    }
    return mayUse.contains(EVERYTHING)
        || mayUse.stream().anyMatch(name -> target.root.equals(name) || isIn(target.root, name));
  }

  private static boolean isIn(String name, String root) {
    return name.equals(root) || name.startsWith(root + ".");
  }
}
