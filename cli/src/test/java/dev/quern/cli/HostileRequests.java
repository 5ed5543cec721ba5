package dev.quern.cli;

import dev.quern.testdata.TinyCheckpoint;
import java.util.ArrayList;
import java.util.List;

/** Command lines that ask for what cannot be. */
final class HostileRequests {
  private HostileRequests() {}

  static List<HostileCase> cases() {
    List<HostileCase> cases = new ArrayList<>();
    scheme(cases, "misspelt scheme", "FP8_DYNAMC", "unknown scheme", "Did you mean FP8_DYNAMIC");
    scheme(cases, "scheme of no kind", "zzzzzzzzz", "unknown scheme", "FP8_BLOCK");
    scheme(cases, "empty scheme", "", "unknown scheme", "FP8_BLOCK");
    also(
        cases,
        "target that matches nothing",
        "--targets re:.*qq_proj",
        "quern inspect",
        "--targets",
        "re:.*qq_proj");
    also(
        cases,
        "one target of two matches nothing",
        "--targets Conv7d",
        "quern inspect",
        "--targets",
        "Linear",
        "--targets",
        "Conv7d");
    also(
        cases,
        "everything ignored",
        "no tensor is left to quantize",
        "--dry-run",
        "--ignore",
        "re:.*");
    also(
        cases,
        "only norms targeted",
        "no tensor is left to quantize",
        "--dry-run",
        "--targets",
        "re:.*norm");
    also(
        cases,
        "embedding targeted",
        "model.embed_tokens is an embedding",
        "Leave it out of the targets",
        "--targets",
        "Linear",
        "--targets",
        "model.embed_tokens");
    String regex = "Write it as Python's re.match takes it";
    also(cases, "target with an open group", "--targets", regex, "--targets", "re:.*(q|k");
    also(cases, "ignore with an open class", "--ignore", regex, "--ignore", "re:[a-");
    also(cases, "ignore with a stray star", "--ignore", regex, "--ignore", "re:*");
    also(cases, "empty target", "--targets", "Write a module name", "--targets", "");
    also(cases, "ignore of nothing", "--ignore", "Write a module name", "--ignore", "re:");
    also(cases, "no threads", "--threads: expected", "Give another value", "--threads", "0");
    also(
        cases,
        "threads below none",
        "--threads: expected",
        "Give another value",
        "--threads",
        "-1");
    also(
        cases,
        "threads by the million",
        "--threads: expected",
        "Give another value",
        "--threads",
        "1000000");
    also(cases, "threads in words", "'--threads'", "'two' is not an int", "--threads", "two");
    also(cases, "memory in words", "'--memory'", "expected a number with K", "--memory", "much");
    also(
        cases,
        "memory of 2 bytes",
        "--memory: expected at least 1 MB",
        "Give another value",
        "--memory",
        "2");
    also(cases, "memory below none", "'--memory'", "expected a number with K", "--memory=-1g");
    also(
        cases,
        "memory beyond 64 bits",
        "'--memory'",
        "expected a number with K",
        "--memory",
        "99999999999g");
    also(
        cases,
        "shards of no bytes",
        "--max-shard-size: expected at least 1 byte",
        "Give another value",
        "--max-shard-size",
        "0");
    also(
        cases,
        "shard size without a number",
        "'--max-shard-size'",
        "expected a number with K",
        "--max-shard-size",
        "5x");
    also(cases, "unknown option", "'--qantize'", "Usage: quern compress", "--qantize");
    also(cases, "two models", "'other'", "Usage: quern compress", "other");
    cases.add(
        new HostileCase(
            "no scheme",
            ExitCode.USAGE,
            "--scheme=NAME",
            "Usage: quern compress",
            scene -> {
              scene.sound();
              scene.args().subList(2, 4).clear();
            }));
    cases.add(
        new HostileCase(
            "no command",
            ExitCode.USAGE,
            "Which command?",
            "compress, decompress",
            scene -> scene.args().clear()));
    cases.add(
        new HostileCase(
            "memory too small for one strip",
            ExitCode.USAGE,
            "tensor model.layers.0.mlp.down_proj.weight: one piece of work needs",
            "Raise --memory",
            scene -> {
              TinyCheckpoint.llama("F32")
                  .random("model.layers.0.mlp.down_proj.weight", 128, 2048)
                  .write(scene.in());
              scene.scheme("FP8_BLOCK");
              scene.also("--memory", "1MB");
            }));
    return cases;
  }

  private static void scheme(
      List<HostileCase> cases, String name, String scheme, String problem, String remedy) {
    cases.add(
        new HostileCase(
            name,
            ExitCode.USAGE,
            problem,
            remedy,
            scene -> {
              scene.sound();
              scene.scheme(scheme);
            }));
  }

  private static void also(
      List<HostileCase> cases, String name, String place, String remedy, String... more) {
    cases.add(
        new HostileCase(
            name,
            ExitCode.USAGE,
            place,
            remedy,
            scene -> {
              scene.sound();
              scene.also(more);
            }));
  }
}
