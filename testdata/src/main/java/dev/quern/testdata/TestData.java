package dev.quern.testdata;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds the project's {@code testdata} folder, from any module and any working directory inside it.
 *
 * <p>Large golden files are stored compressed. Nobody who asks for one sees that: what lies below
 * {@code golden/} is handed out from a copy in which they are unpacked, see {@link UnpackedGolden}.
 */
public final class TestData {
  private static final String GOLDEN = "golden";

  private TestData() {}

  /**
   * A file or folder below {@code testdata/}; its place may be a copy.
   *
   * @throws IllegalStateException when it is not there
   */
  public static Path path(String relative) {
    Path root = root();
    boolean golden = Path.of(relative).startsWith(GOLDEN);
    Path path =
        golden
            ? UnpackedGolden.of(root.resolve(GOLDEN), root.resolve("target/unpacked"))
                .resolve(Path.of(GOLDEN).relativize(Path.of(relative)))
            : root.resolve(relative);
    if (!Files.exists(path)) {
      throw new IllegalStateException("no test data at " + path);
    }
    return path;
  }

  /** The project's own folder, which {@code testdata} is in. */
  public static Path project() {
    return root().toAbsolutePath().getParent();
  }

  private static Path root() {
    String configured = System.getProperty("quern.testdata");
    if (configured != null) {
      return Path.of(configured);
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path candidate = at.resolve("testdata");
      if (Files.isDirectory(candidate.resolve(GOLDEN))) {
        return candidate;
      }
    }
    throw new IllegalStateException(
        "testdata/ not found above "
            + Path.of("").toAbsolutePath()
            + "; set -Dquern.testdata=FOLDER");
  }
}
