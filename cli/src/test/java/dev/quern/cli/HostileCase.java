package dev.quern.cli;

import dev.quern.testdata.TinyCheckpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One way in which {@code quern compress} must refuse to work.
 *
 * @param name what is wrong
 * @param exitCode the documented code
 * @param place what the message must name: file, tensor, option
 * @param remedy a part of what the message must advise
 * @param damage makes the checkpoint and changes the command line
 */
record HostileCase(String name, int exitCode, String place, String remedy, Damage damage) {
  /** Prepares a folder for a case. */
  @FunctionalInterface
  interface Damage {
    void apply(Scene scene) throws Exception;
  }

  /**
   * Where a case plays: {@code in/} is the checkpoint, {@code out/} the output, {@code args} the
   * command line.
   */
  record Scene(Path root, Path in, Path out, List<String> args) {
    static Scene below(Path root) {
      Path in = root.resolve("in");
      Path out = root.resolve("out");
      List<String> args =
          List.of("compress", in.toString(), "--scheme", "FP8_DYNAMIC", "--output", out.toString());
      return new Scene(root, in, out, new ArrayList<>(args));
    }

    /** A sound checkpoint at {@code in/}. */
    void sound() {
      TinyCheckpoint.llama("BF16").write(in);
    }

    /** Adds arguments to the command line. */
    void also(String... more) {
      args.addAll(Arrays.asList(more));
    }

    /** Gives {@code --output} another value. */
    void output(Path output) {
      args.set(5, output.toString());
    }

    /** Gives {@code --scheme} another value. */
    void scheme(String scheme) {
      args.set(3, scheme);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
