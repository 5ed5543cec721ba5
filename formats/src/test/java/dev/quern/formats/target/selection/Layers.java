package dev.quern.formats.target.selection;

import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.DynamicType;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.target.selection.KernelLayer.Cut;
import dev.quern.formats.target.selection.KernelLayer.Role;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Layers and schemes for tests of selection, by short words. */
final class Layers {
  private Layers() {}

  /** A preset, or one of the words below. */
  static QuantizationScheme scheme(String word) {
    QuantizationArgs token8 = integer(8, QuantizationStrategy.TOKEN, DynamicType.TRUE, true);
    return switch (word) {
      case "FP8_TENSOR_TOKEN" ->
          of(fp8(QuantizationStrategy.TENSOR, DynamicType.FALSE), fp8(QuantizationStrategy.TOKEN, DynamicType.TRUE), null);
      case "FP8_TENSOR_DYNAMIC" ->
          of(fp8(QuantizationStrategy.TENSOR, DynamicType.FALSE), fp8(QuantizationStrategy.TENSOR, DynamicType.TRUE), null);
      case "FP8A16" ->
          of(fp8(QuantizationStrategy.CHANNEL, DynamicType.FALSE), null, CompressionFormat.FLOAT_QUANTIZED);
      case "INT8_STATIC" -> of(channel(8), integer(8, QuantizationStrategy.TENSOR, DynamicType.FALSE, true), null);
      case "INT8_ASYM" -> of(channel(8), integer(8, QuantizationStrategy.TOKEN, DynamicType.TRUE, false), null);
      case "INT8_GROUP" -> of(group(8, 128, true), token8, CompressionFormat.INT_QUANTIZED);
      case "W4A8_INT" -> of(group(4, 128, true), token8, CompressionFormat.INT_QUANTIZED);
      case "W4A8_PACK" -> of(group(4, 128, true), token8, CompressionFormat.PACK_QUANTIZED);
      case "W4A8_PACK_CHANNEL" -> of(channel(4), token8, CompressionFormat.PACK_QUANTIZED);
      case "W4A16_G16" -> of(group(4, 16, true), null, null);
      case "W4A16_G32" -> of(group(4, 32, true), null, null);
      case "W4A16_G256" -> of(group(4, 256, true), null, null);
      case "W4A16_CHANNEL" -> of(channel(4), null, null);
      case "W4A16_ACTORDER" ->
          of(group(4, 128, true).toBuilder().actorder(ActivationOrdering.GROUP).build(), null, null);
      case "W8A16_CHANNEL" -> of(channel(8), null, null);
      case "W8A16_ASYM" -> of(group(8, 128, false), null, null);
      case "KV" -> of(fp8(QuantizationStrategy.TENSOR, DynamicType.FALSE), null, null);
      default -> {
        QuantizationScheme preset = PresetSchemes.named(word).scheme(List.of("Linear"));
        yield preset.withFormat(CompressionFormat.toWrite(preset));
      }
    };
  }

  static QuantizationScheme of(QuantizationArgs weights, QuantizationArgs inputs, CompressionFormat format) {
    QuantizationScheme scheme =
        QuantizationScheme.of(List.of("Linear"), Optional.of(weights), Optional.ofNullable(inputs));
    return scheme.withFormat(format == null ? CompressionFormat.toWrite(scheme) : format);
  }

  static QuantizationArgs fp8(QuantizationStrategy strategy, DynamicType dynamic) {
    return QuantizationArgs.builder().numBits(8).type(QuantizationType.FLOAT).strategy(strategy).dynamic(dynamic).build();
  }

  static QuantizationArgs integer(int bits, QuantizationStrategy strategy, DynamicType dynamic, boolean symmetric) {
    return QuantizationArgs.builder().numBits(bits).strategy(strategy).dynamic(dynamic).symmetric(symmetric).build();
  }

  static QuantizationArgs channel(int bits) {
    return integer(bits, QuantizationStrategy.CHANNEL, DynamicType.FALSE, true);
  }

  static QuantizationArgs group(int bits, int size, boolean symmetric) {
    return QuantizationArgs.builder().numBits(bits).groupSize(size).symmetric(symmetric).build();
  }

  static KernelLayer layer(Role role, Cut cut, long rows, long columns, QuantizationScheme scheme) {
    List<Long> parts = role == Role.EXPERT_W13 || role == Role.GATE_UP ? List.of(rows / 2, rows / 2) : List.of(rows);
    return new KernelLayer(List.of("m"), role, cut, parts, columns, scheme, true, 0);
  }

  /** Aligned to everything. */
  static KernelLayer aligned(String scheme) {
    return KernelLayer.single("m", 4096, 4096, scheme(scheme));
  }

  static KernelDecision decide(String target, Serving serving, KernelLayer layer) {
    KernelTable table = KernelTable.builtIn();
    return new KernelSelector(table, table.targets(target).getFirst(), serving).select(layer);
  }

  static KernelDecision decide(String target, KernelLayer layer) {
    return decide(target, Serving.of("bfloat16"), layer);
  }

  /** {@code Marlin(wo)}: its name and mode, {@code !} when it fails, or {@code -}. */
  static String cell(KernelDecision decision) {
    if (decision.kernel().isEmpty()) {
      return "-";
    }
    String mode =
        switch (decision.mode()) {
          case WEIGHT_ONLY -> "(wo)";
          case EMULATED -> "(em)";
          default -> "";
        };
    return decision.kernelName().orElseThrow() + mode + (decision.works() ? "" : "!");
  }

  /** The codes of its hazards. */
  static String hazards(KernelDecision decision) {
    return decision.hazards().stream()
        .map(h -> h.severity().name().toLowerCase(Locale.ROOT) + " " + h.code())
        .collect(Collectors.joining(", "));
  }
}
