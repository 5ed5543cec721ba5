package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;
import static java.util.Map.entry;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The schemes that have a name: {@code FP8_DYNAMIC}, {@code W4A16} and so on. Names are
 * case-insensitive.
 *
 * <p>Source: compressed-tensors 0.18, {@code quantization/quant_scheme.py}. Note that W8A16 has
 * groups of 128, not channels.
 */
public final class PresetSchemes {
  /**
   * What a preset's name stands for.
   *
   * @param name the name in the reference's spelling
   * @param weights empty for UNQUANTIZED
   * @param inputActivations empty where inputs stay in the model's dtype
   */
  public record Preset(
      String name,
      Optional<QuantizationArgs> weights,
      Optional<QuantizationArgs> inputActivations) {
    /** The scheme for modules named by {@code targets}, its format not yet chosen. */
    public QuantizationScheme scheme(List<String> targets) {
      return QuantizationScheme.of(targets, weights, inputActivations);
    }

    /** Whether inputs have scales that only calibration data can give. */
    public boolean needsCalibration() {
      return inputActivations.isPresent() && inputActivations.get().dynamic() != DynamicType.TRUE;
    }
  }

  private static final QuantizationArgs FP8_TENSOR = fp8().build();
  private static final QuantizationArgs FP8_TENSOR_INPUT = fp8().observer("static_minmax").build();
  private static final QuantizationArgs FP8_CHANNEL =
      fp8().strategy(QuantizationStrategy.CHANNEL).build();
  private static final QuantizationArgs FP8_TOKEN = token(fp8());
  private static final QuantizationArgs FP8_BLOCK_128 =
      fp8().strategy(QuantizationStrategy.BLOCK).blockStructure(128, 128).build();
  private static final QuantizationArgs FP8_GROUP_INPUT =
      fp8().groupSize(128).dynamic(DynamicType.TRUE).build();
  private static final QuantizationArgs INT8_CHANNEL =
      integer(8).strategy(QuantizationStrategy.CHANNEL).build();
  private static final QuantizationArgs INT8_TOKEN = token(integer(8));
  private static final QuantizationArgs INT4_TOKEN = token(integer(4));
  private static final QuantizationArgs NVFP4_WEIGHT = nvfp4().build();
  private static final QuantizationArgs NVFP4_INPUT =
      nvfp4().dynamic(DynamicType.LOCAL).observer("static_minmax").build();
  private static final QuantizationArgs MXFP4_WEIGHT = microscaling(4).build();
  private static final QuantizationArgs MXFP4_INPUT =
      microscaling(4).dynamic(DynamicType.TRUE).build();
  private static final QuantizationArgs MXFP8_WEIGHT = microscaling(8).build();
  private static final QuantizationArgs MXFP8_INPUT =
      microscaling(8).dynamic(DynamicType.TRUE).build();

  private static final Map<String, Preset> TABLE =
      table(
          preset("UNQUANTIZED", null, null),
          preset("FP8", FP8_TENSOR, FP8_TENSOR_INPUT),
          preset("FP8_DYNAMIC", FP8_CHANNEL, FP8_TOKEN),
          preset("FP8_BLOCK", FP8_BLOCK_128, FP8_GROUP_INPUT),
          preset("W8A8", INT8_CHANNEL, INT8_TOKEN),
          preset("INT8", INT8_CHANNEL, INT8_TOKEN),
          preset("W8A16", group128(8), null),
          preset("W4A16", group128(4), null),
          preset("W4A16_ASYM", integer(4).groupSize(128).symmetric(false).build(), null),
          preset("W2A16", group128(2), null),
          preset("W3A16", group128(3), null),
          preset("W5A16", group128(5), null),
          preset("W6A16", group128(6), null),
          preset("W7A16", group128(7), null),
          preset("W4A8", group128(4), INT8_TOKEN),
          preset("W2A8", group128(2), INT8_TOKEN),
          preset("W3A8", group128(3), INT8_TOKEN),
          preset("W5A8", group128(5), INT8_TOKEN),
          preset("W6A8", group128(6), INT8_TOKEN),
          preset("W7A8", group128(7), INT8_TOKEN),
          preset("W4A4", group128(4), INT4_TOKEN),
          preset("W2A4", group128(2), INT4_TOKEN),
          preset("W3A4", group128(3), INT4_TOKEN),
          preset("W4AFP8", group128(4), FP8_TOKEN),
          preset("NVFP4A16", NVFP4_WEIGHT, null),
          preset("NVFP4", NVFP4_WEIGHT, NVFP4_INPUT),
          preset("MXFP4A16", MXFP4_WEIGHT, null),
          preset("MXFP4", MXFP4_WEIGHT, MXFP4_INPUT),
          preset("MXFP8A16", MXFP8_WEIGHT, null),
          preset("MXFP8", MXFP8_WEIGHT, MXFP8_INPUT));

  /** Names that people use and the reference does not know, with what we take them for. */
  private static final Map<String, String> ALIASES =
      Map.ofEntries(entry("W8A8-FP8", "FP8_DYNAMIC"), entry("W8A8_FP8", "FP8_DYNAMIC"));

  private PresetSchemes() {}

  /**
   * The preset of this name, in any case.
   *
   * @throws CheckpointException for an unknown name, with the nearest ones and the whole list
   */
  public static Preset named(String name) {
    return named("--scheme", name);
  }

  /** As {@link #named(String)}, with the place of the name for the message. */
  public static Preset named(String where, String name) {
    String upper = name.strip().toUpperCase(Locale.ROOT);
    Preset preset = TABLE.get(ALIASES.getOrDefault(upper, upper));
    if (preset == null) {
      List<String> nearest = NearestNames.to(upper, names());
      String suggestion =
          nearest.isEmpty() ? "" : "Did you mean " + String.join(" or ", nearest) + "? ";
      throw invalid(
          where,
          "unknown scheme \"" + name + "\"",
          suggestion + "The schemes are " + String.join(", ", names()));
    }
    return preset;
  }

  /** Those of some names that a misspelt one may have meant; none when all are far off. */
  public static List<String> nearest(String name, Collection<String> among) {
    return NearestNames.to(name.strip().toUpperCase(Locale.ROOT), among);
  }

  /** Whether {@link #named(String)} knows the name. */
  public static boolean isKnown(String name) {
    String upper = name.strip().toUpperCase(Locale.ROOT);
    return TABLE.containsKey(upper) || ALIASES.containsKey(upper);
  }

  /**
   * What a user should be told about a name that is ours and not the reference's, such as {@code
   * W8A8-FP8}; empty for every other name.
   */
  public static Optional<String> aliasNote(String name) {
    return Optional.ofNullable(ALIASES.get(name.strip().toUpperCase(Locale.ROOT)))
        .map(target -> "scheme " + name.strip() + " is taken as " + target);
  }

  /** All names in the reference's spelling and the order of its table. */
  public static List<String> names() {
    return List.copyOf(TABLE.keySet());
  }

  private static Preset preset(String name, QuantizationArgs weights, QuantizationArgs inputs) {
    return new Preset(name, Optional.ofNullable(weights), Optional.ofNullable(inputs));
  }

  private static Map<String, Preset> table(Preset... presets) {
    LinkedHashMap<String, Preset> table = new LinkedHashMap<>();
    for (Preset preset : presets) {
      table.put(preset.name(), preset);
    }
    return table;
  }

  private static QuantizationArgs.Builder fp8() {
    return QuantizationArgs.builder().numBits(8).type(QuantizationType.FLOAT);
  }

  private static QuantizationArgs.Builder integer(int bits) {
    return QuantizationArgs.builder().numBits(bits).type(QuantizationType.INT);
  }

  private static QuantizationArgs group128(int bits) {
    return integer(bits).groupSize(128).build();
  }

  private static QuantizationArgs token(QuantizationArgs.Builder builder) {
    return builder.strategy(QuantizationStrategy.TOKEN).dynamic(DynamicType.TRUE).build();
  }

  private static QuantizationArgs.Builder nvfp4() {
    return QuantizationArgs.builder()
        .numBits(4)
        .type(QuantizationType.FLOAT)
        .strategy(QuantizationStrategy.TENSOR_GROUP)
        .groupSize(16)
        .scaleDtype(DType.F8_E4M3);
  }

  private static QuantizationArgs.Builder microscaling(int bits) {
    return QuantizationArgs.builder()
        .numBits(bits)
        .type(QuantizationType.FLOAT)
        .groupSize(32)
        .scaleDtype(DType.U8)
        .zpDtype(DType.U8);
  }
}
