package dev.quern.testdata;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds the project's {@code testdata} folder, from any module and any working directory inside it.
 */
public final class TestData {
  private TestData() {}

  /**
   * A file or folder below {@code testdata/}.
   *
   * @throws IllegalStateException when it is not there
   */
  public static Path path(String relative) {
    Path path = root().resolve(relative);
    if (!Files.exists(path)) {
      throw new IllegalStateException("no test data at " + path);
    }
    return path;
  }

  private static Path root() {
    String configured = System.getProperty("quern.testdata");
    if (configured != null) {
      return Path.of(configured);
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path candidate = at.resolve("testdata");
      if (Files.isDirectory(candidate.resolve("golden"))) {
        return candidate;
      }
    }
    throw new IllegalStateException(
        "testdata/ not found above "
            + Path.of("").toAbsolutePath()
            + "; set -Dquern.testdata=FOLDER");
  }
}
