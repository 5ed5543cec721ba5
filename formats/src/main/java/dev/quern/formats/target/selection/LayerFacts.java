package dev.quern.formats.target.selection;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.compressedtensors.BlockStructure;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.LongStream;

/** The {@link Facts} of a layer on a target. */
final class LayerFacts {
  private static final String HALF = "float16";

  private LayerFacts() {}

  static Facts of(KernelTable table, Target target, Serving serving, KernelLayer layer) {
    Facts facts = new Facts();
    target(facts, table, target, serving);
    shape(facts, serving, layer);
    weights(facts, layer.scheme().weights().orElseThrow());
    layer.scheme().inputActivations().ifPresent(args -> activations(facts, "i", args));
    layer.scheme().outputActivations().ifPresent(args -> activations(facts, "o", args));
    facts.set("format", layer.scheme().formatOrDefault().configName());
    return facts;
  }

  private static void target(Facts facts, KernelTable table, Target target, Serving serving) {
    facts.set("platform", target.platform());
    target.capability().ifPresent(capability -> facts.set("capability", capability));
    target.family().ifPresent(family -> facts.set("family", family));
    facts.set("features", target.features());
    Set<String> packages = new HashSet<>(target.packages());
    packages.addAll(serving.withPackages());
    packages.removeAll(serving.withoutPackages());
    facts.set("packages", packages);
    facts.set("linearBackend", serving.linearBackend());
    facts.set("moeBackend", serving.moeBackend());
    // A GPU without bfloat16 runs in float16 or not at all; a hazard says so.
    facts.set("dtype", target.features().contains("fp16-only") ? HALF : serving.dtype());
    facts.set("modelDtype", serving.dtype());
    facts.set("modelType", serving.modelType());
    facts.set("tp", serving.tensorParallel());
    facts.set("ep", serving.expertParallel());
    facts.set("sparsity", serving.sparsity() ? "24" : Facts.NONE);
    table.environment().forEach((name, value) -> facts.set(Facts.ENVIRONMENT + name, value));
    serving.environment().forEach((name, value) -> facts.set(Facts.ENVIRONMENT + name, value));
  }

  private static void shape(Facts facts, Serving serving, KernelLayer layer) {
    int ranks = serving.tensorParallel();
    boolean rowsCut = layer.cut() == KernelLayer.Cut.COLUMN && ranks > 1;
    boolean columnsCut = layer.cut() == KernelLayer.Cut.ROW && ranks > 1;
    boolean qkv = layer.role() == KernelLayer.Role.QKV;
    boolean uneven = columnsCut && layer.columns() % ranks != 0;
    long[] parts = new long[layer.parts().size()];
    for (int i = 0; i < parts.length; i++) {
      long rows = layer.parts().get(i);
      // Key and value heads that are fewer than ranks are repeated: which, shapes do not tell.
      boolean even = rows % ranks == 0;
      uneven |= rowsCut && !even && !(qkv && i > 0);
      parts[i] = rowsCut && even ? rows / ranks : rows;
    }
    long rows = LongStream.of(parts).sum();
    long columns = columnsCut && !uneven ? layer.columns() / ranks : layer.columns();
    facts.set("wrongTp", uneven);
    facts.set("role", layer.role().name().toLowerCase(Locale.ROOT));
    facts.set("n", rows);
    facts.set("k", columns);
    facts.set("fullN", layer.rows());
    facts.set("fullK", layer.columns());
    facts.set("splitN", rowsCut);
    facts.set("splitK", columnsCut);
    facts.set("parts", parts.length);
    facts.set("partsGcd", LongStream.of(parts).reduce(0, KernelSelector::gcd));
    facts.set(
        "partsGcdButLast",
        LongStream.of(parts).limit(parts.length - 1L).reduce(0, KernelSelector::gcd));
    facts.set("sameSchemes", layer.sameSchemes());
    switch (layer.role()) {
      case EXPERT_W13 -> facts.set("hidden", columns).set("intermediate", parts[0]);
      case EXPERT_W2 -> facts.set("hidden", rows).set("intermediate", columns);
      default -> {}
    }
  }

  private static void weights(Facts facts, QuantizationArgs args) {
    facts.set("wType", args.type().configName());
    facts.set("wBits", args.numBits());
    facts.set("wStrategy", args.strategy().configName());
    facts.set("wGroup", group(args));
    facts.set("wSymmetric", args.symmetric());
    facts.set("wDynamic", args.dynamic().name().toLowerCase(Locale.ROOT));
    args.scaleDtype().map(DType::name).ifPresent(scale -> facts.set("wScale", scale));
    facts.set("gIdx", args.hasGroupIndex());
    facts.set("groupSize", group(args));
    facts.set("perWord", 32 / args.numBits());
    BlockStructure block = args.blockStructure().orElse(new BlockStructure(1, 1));
    facts.set("blockRows", (long) block.rows());
    facts.set("blockColumns", (long) block.columns());
  }

  private static void activations(Facts facts, String prefix, QuantizationArgs args) {
    facts.set(prefix + "Type", args.type().configName());
    facts.set(prefix + "Bits", args.numBits());
    facts.set(prefix + "Strategy", args.strategy().configName());
    facts.set(prefix + "Dynamic", args.dynamic().name().toLowerCase(Locale.ROOT));
    if (prefix.equals("i")) {
      facts.set("iGroup", group(args));
      facts.set("iSymmetric", args.symmetric());
    }
  }

  private static long group(QuantizationArgs args) {
    boolean grouped =
        List.of(QuantizationStrategy.GROUP, QuantizationStrategy.TENSOR_GROUP)
            .contains(args.strategy());
    return grouped ? args.groupSize().orElse(-1) : -1;
  }

  /** The engine's word for codes: {@code uint4b8} is 4 bits with 8 added, {@code int4} signed. */
  static String code(KernelLayer layer, boolean signed) {
    QuantizationArgs args = layer.scheme().weights().orElseThrow();
    int bits = args.numBits();
    if (args.type() == QuantizationType.FLOAT) {
      return "float" + bits;
    }
    if (signed) {
      return "int" + bits;
    }
    return args.symmetric() ? "uint" + bits + "b" + (1L << (bits - 1)) : "uint" + bits;
  }
}
