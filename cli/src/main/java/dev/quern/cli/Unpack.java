package dev.quern.cli;

import dev.quern.pipeline.Quern;
import dev.quern.pipeline.UnpackOptions;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quern unpack}: what {@code quern pack} made in, the checkpoint that it was given out. */
@Command(
    name = "unpack",
    description = "Give back the checkpoint that was packed, byte for byte.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class Unpack implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "PACKED", description = "Folder, .tar.zst or .zip that quern pack made.")
  private Path packed;

  @Option(names = "--output", required = true, paramLabel = "DIR", description = "Folder to make.")
  private Path output;

  @Option(names = "--overwrite", description = "Replace a checkpoint that is at DIR already.")
  private boolean overwrite;

  @Mixin private WorkOptions work;

  @Override
  public Integer call() throws InterruptedException {
    UnpackOptions options =
        new UnpackOptions(packed, output, work.threads(), work.memory(), overwrite);
    try (ProgressDisplay progress = ProgressDisplay.on(spec.commandLine().getErr())) {
      Quern.unpack(options, progress);
    }
    spec.commandLine().getOut().println(output);
    return ExitCode.OK;
  }
}
