package dev.quern.formats.target.selection;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A kind of device that models run on.
 *
 * @param id its name in the table, such as {@code sm90} or {@code gfx942}
 * @param name the generation's name for people
 * @param platform {@code cuda}, {@code rocm}, {@code xpu}, {@code cpu} or {@code tpu}
 * @param runtime the engine that runs there: {@code vllm}, or the plug-in that replaces it
 * @param capability ten times the major compute capability plus the minor, as the engine sees it;
 *     empty where it sees none
 * @param features words that gates ask for, such as {@code fp8} or {@code amx}
 * @param packages packages that are there when nobody says otherwise
 * @param aliases other names, such as {@code h100}
 * @param standard whether it is looked at when nobody names targets
 */
public record Target(
    String id,
    String name,
    String platform,
    String runtime,
    OptionalInt capability,
    Set<String> features,
    Set<String> packages,
    List<String> aliases,
    boolean standard) {
  /** Copies the collections. */
  public Target {
    features = Set.copyOf(features);
    packages = Set.copyOf(packages);
    aliases = List.copyOf(aliases);
  }

  /** Ten times the major compute capability: kernels of a family run on all of it. */
  Optional<Long> family() {
    return capability.isPresent()
        ? Optional.of(capability.getAsInt() / 10 * 10L)
        : Optional.empty();
  }
}
