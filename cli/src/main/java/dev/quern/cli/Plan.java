package dev.quern.cli;

import dev.quern.pipeline.CompressionOptions;
import dev.quern.pipeline.KernelPlan;
import dev.quern.pipeline.Quern;
import dev.quern.pipeline.ServingOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quern plan}: which kernel will run each layer on which GPU. */
@Command(
    name = "plan",
    description = "Say which vLLM kernel will run each layer on each GPU, and why.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "",
      "Reads headers only. For a model that is not compressed yet, name a scheme.",
      "Example: quern plan Llama-3.1-70B --scheme FP8_DYNAMIC --target h100,b200"
    })
final class Plan implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Folder of the checkpoint, compressed or not.")
  private Path model;

  @Option(
      names = "--scheme",
      paramLabel = "SCHEME",
      description = "What would run the model if it were compressed by this scheme.")
  private List<String> schemes = List.of();

  @Option(
      names = "--target",
      paramLabel = "NAMES",
      defaultValue = "",
      description =
          "GPUs and CPUs, separated by commas: h100, sm90, rtx4090, mi300x, x86, ... or all."
              + " Without it, one of each generation.")
  private String targets;

  @Option(
      names = "--tensor-parallel",
      paramLabel = "N",
      defaultValue = "1",
      description = "GPUs that share each matrix.")
  private int tensorParallel;

  @Option(
      names = "--expert-parallel",
      paramLabel = "N",
      defaultValue = "1",
      description = "GPUs that share the experts of a layer.")
  private int expertParallel;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "vLLM's --dtype: bfloat16 or float16. Without it, the model's own.")
  private String dtype;

  @Option(
      names = "--linear-backend",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "vLLM's --linear-backend.")
  private String linearBackend;

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "An environment variable that vLLM will see, such as VLLM_ROCM_USE_AITER=1.")
  private Map<String, String> environment = new LinkedHashMap<>();

  @Option(
      names = "--table",
      paramLabel = "FILE",
      description = "A kernel table for another version of the engine.")
  private Path table;

  @Mixin private JsonOption json;

  @Override
  public Integer call() {
    ServingOptions serving =
        new ServingOptions(
            targets,
            tensorParallel,
            expertParallel,
            Optional.ofNullable(dtype),
            linearBackend,
            environment,
            Optional.ofNullable(table));
    KernelPlan plan =
        schemes.isEmpty()
            ? Quern.kernels(model, serving)
            : Quern.kernels(
                CompressionOptions.ofSchemes(model, model.resolve("planned"), schemes), serving);
    spec.commandLine().getOut().print(json.wanted() ? plan.toJson() : KernelTables.plan(plan));
    return ExitCode.OK;
  }
}
