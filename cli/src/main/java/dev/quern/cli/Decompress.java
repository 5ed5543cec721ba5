package dev.quern.cli;

import dev.quern.pipeline.DecompressionOptions;
import dev.quern.pipeline.DecompressionPlan;
import dev.quern.pipeline.DecompressionReport;
import dev.quern.pipeline.Quern;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code quern decompress}: a quantized checkpoint in, a plain one out. */
@Command(
    name = "decompress",
    description = "Turn a quantized checkpoint into a plain one.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "",
      "Reads compressed-tensors, fp8 (DeepSeek, AutoFP8), gptq, awq, modelopt (NVFP4, FP8), and",
      "mxfp4 (gpt-oss).",
      "Example: quern decompress Llama-3.2-1B-FP8 --output Llama-3.2-1B-BF16",
      "Sizes take K, M, G, T (powers of 1000) and KiB, MiB, GiB, TiB."
    })
final class Decompress implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private OutputOptions files;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "Type of the weights: bf16, f16 or f32. Default: the one in config.json.")
  private String type;

  @Mixin private WorkOptions work;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    DecompressionOptions options =
        new DecompressionOptions(
            files.model(),
            files.output(),
            DecompressionOptions.typeNamed(type),
            work.threads(),
            work.memory(),
            files.maxShardSize(),
            files.overwrite());
    if (files.dryRun()) {
      DecompressionPlan plan = Quern.plan(options);
      out.print(json.wanted() ? plan.toJson() : Tables.plan(plan));
      return ExitCode.OK;
    }
    DecompressionReport report;
    try (ProgressDisplay progress = ProgressDisplay.on(err)) {
      report = Quern.decompress(options, progress);
    }
    Warnings.print(err, report.plan().warnings());
    out.print(json.wanted() ? report.toJson() : Tables.report(report));
    return ExitCode.OK;
  }
}
