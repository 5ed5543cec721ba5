package dev.quern.formats.target.selection;

import dev.quern.formats.compressedtensors.QuantizationScheme;
import java.util.List;

/**
 * A matrix as an engine runs it: one module, or several that it fuses.
 *
 * @param modules full names of its modules, in the order of their rows
 * @param role what it is in the model
 * @param cut how ranks share it
 * @param parts rows of each module
 * @param columns input features
 * @param scheme how it is quantized
 * @param sameSchemes whether all modules that must have one scheme have it
 * @param bytes bytes of its tensors in the checkpoint
 */
public record KernelLayer(
    List<String> modules,
    Role role,
    Cut cut,
    List<Long> parts,
    long columns,
    QuantizationScheme scheme,
    boolean sameSchemes,
    long bytes) {
  /** What a matrix is in the model. */
  public enum Role {
    /** Queries, keys and values. */
    QKV,
    /** The output of attention. */
    O,
    /** Gate and up. */
    GATE_UP,
    /** Down. */
    DOWN,
    /** Gate and up of a routed expert. */
    EXPERT_W13,
    /** Down of a routed expert. */
    EXPERT_W2,
    /** The output head. */
    LM_HEAD,
    /** The cache of keys and values, which has a scheme and no matrix. */
    KV_CACHE,
    /** Anything else. */
    OTHER;

    /** Whether it is a routed expert's. */
    public boolean isExpert() {
      return this == EXPERT_W13 || this == EXPERT_W2;
    }
  }

  /** How ranks share a matrix. */
  public enum Cut {
    /** Each has some of the rows. */
    COLUMN,
    /** Each has some of the columns. */
    ROW,
    /** Each has all of it. */
    REPLICATED
  }

  /** Copies the lists. */
  public KernelLayer {
    modules = List.copyOf(modules);
    parts = List.copyOf(parts);
    if (scheme.weights().isEmpty()) {
      throw new IllegalArgumentException("no weights are quantized: " + modules);
    }
  }

  /** A layer of one module that no rank shares, for questions about shapes. */
  public static KernelLayer single(String module, long rows, long columns, QuantizationScheme scheme) {
    return new KernelLayer(
        List.of(module), Role.OTHER, Cut.REPLICATED, List.of(rows), columns, scheme, true, 0);
  }

  /** All rows. */
  public long rows() {
    return parts.stream().mapToLong(Long::longValue).sum();
  }
}
