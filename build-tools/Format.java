import com.google.googlejavaformat.java.Main;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Checks that every Java file below a folder is formatted by google-java-format, or formats them.
 *
 * <p>Usage: {@code java -cp google-java-format.jar Format.java check|fix FOLDER}
 */
class Format {
  private static final Set<String> SKIPPED_FOLDERS = Set.of("target", ".git", ".idea");

  public static void main(String[] args) throws Exception {
    boolean fix =
        switch (args[0]) {
          case "check" -> false;
          case "fix" -> true;
          default -> throw new IllegalArgumentException("check or fix expected, found " + args[0]);
        };
    Path root = Path.of(args[1]);
    List<String> command = new ArrayList<>();
    command.addAll(fix ? List.of("--replace") : List.of("--dry-run", "--set-exit-if-changed"));
    List<String> files = new ArrayList<>();
    collect(root, files);
    command.addAll(files);

    StringWriter unformatted = new StringWriter();
    int status =
        new Main(
                new PrintWriter(unformatted, true),
                new PrintWriter(System.err, true),
                InputStream.nullInputStream())
            .format(command.toArray(String[]::new));
    if (status != 0) {
      System.err.print(unformatted);
      System.err.println(
          "The files above are not formatted. To format them: mvn -q -N verify -Dformat=fix");
    }
    System.exit(status);
  }

  private static void collect(Path folder, List<String> files) throws IOException {
    List<Path> children;
    try (Stream<Path> listing = Files.list(folder)) {
      children = listing.sorted().toList();
    }
    for (Path child : children) {
      String name = child.getFileName().toString();
      if (Files.isDirectory(child)) {
        if (!SKIPPED_FOLDERS.contains(name)) {
          collect(child, files);
        }
      } else if (name.endsWith(".java")) {
        files.add(child.toString());
      }
    }
  }
}
