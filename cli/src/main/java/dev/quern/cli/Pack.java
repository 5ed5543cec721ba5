package dev.quern.cli;

import dev.quern.pipeline.PackOptions;
import dev.quern.pipeline.PackReport;
import dev.quern.pipeline.Quern;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quern pack}: a compressed checkpoint in, the byte order of a kernel out. */
@Command(
    name = "pack",
    description = "Put the weights of a compressed checkpoint in the byte order of a GPU kernel.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "",
      "For engines of your own: vLLM loads the checkpoint itself and packs it as it starts.",
      "Example: quern pack Llama-3.2-1B-W4A16 --layout marlin --output Llama-3.2-1B-marlin"
    })
final class Pack implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Folder of the compressed checkpoint.")
  private Path model;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "DIR",
      description = "Folder to make; with --archive, DIR.tar.zst or DIR.zip.")
  private Path output;

  @Option(
      names = "--layout",
      required = true,
      paramLabel = "NAME",
      description =
          "A layout such as marlin-i4-a16@1, or a family such as marlin, machete, sf-128x4 or"
              + " trtllm: each module gets the first of the family that takes it.")
  private String layout;

  @Option(
      names = "--archive",
      paramLabel = "KIND",
      description = "tar.zst or zip: write one file instead of a folder.")
  private String archive;

  @Option(names = "--overwrite", description = "Replace what is there already.")
  private boolean overwrite;

  @Mixin private WorkOptions work;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws InterruptedException {
    PackOptions options =
        PackOptions.of(model, output, layout)
            .withThreads(work.threads())
            .withMemoryBytes(work.memory())
            .withOverwrite(overwrite);
    if (archive != null) {
      options = options.withArchive(archive);
    }
    PackReport report;
    try (ProgressDisplay progress = ProgressDisplay.on(spec.commandLine().getErr())) {
      report = Quern.pack(options, progress);
    }
    spec.commandLine().getOut().print(json.wanted() ? report.toJson() : Tables.report(report));
    return ExitCode.OK;
  }
}
