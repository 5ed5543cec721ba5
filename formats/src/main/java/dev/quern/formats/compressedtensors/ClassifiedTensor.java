package dev.quern.formats.compressedtensors;

/**
 * A tensor with its role.
 *
 * @param tensor full tensor name
 * @param module full name of the module that holds it; empty at the top
 * @param parameter name within the module, such as {@code weight}
 * @param role what it is
 * @param className the module's class as targets and {@code ignore} see it: {@code Linear} for a
 *     matrix, also within MTP modules and, as in the reference, for routers; empty where there is
 *     no such class
 * @param reason a few words for a table, such as {@code "MoE router"}
 */
public record ClassifiedTensor(
    String tensor,
    String module,
    String parameter,
    TensorRole role,
    String className,
    String reason) {
  /** The module by name and class, for matching. */
  public ModuleRef moduleRef() {
    return new ModuleRef(module, className);
  }
}
