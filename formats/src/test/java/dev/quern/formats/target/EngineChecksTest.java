package dev.quern.formats.target;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class EngineChecksTest {
  private static final String ATTENTION = "model.layers.0.self_attn.";
  private static final String MLP = "model.layers.0.mlp.";
  private static final String SHARDS = "re:.*\\.(q|k|v|o)_proj";

  /** One layer: hidden 1024, intermediate 2048, 8 heads of 128, 2 key-value heads. */
  private static final class Layer {
    private final Map<String, long[]> shapes = new LinkedHashMap<>();
    private final Map<String, QuantizationScheme> schemes = new LinkedHashMap<>();
    private final QuantizationConfig.Builder config = QuantizationConfig.builder();
    private long heads = 8;
    private int ranks = 1;
    private boolean sharedHead;

    Layer() {
      shape(ATTENTION + "q_proj", 1024, 1024);
      shape(ATTENTION + "k_proj", 256, 1024);
      shape(ATTENTION + "v_proj", 256, 1024);
      shape(ATTENTION + "o_proj", 1024, 1024);
      shape(MLP + "gate_proj", 2048, 1024);
      shape(MLP + "up_proj", 2048, 1024);
      shape(MLP + "down_proj", 1024, 2048);
    }

    Layer shape(String name, long rows, long cols) {
      shapes.put(name, new long[] {rows, cols});
      return this;
    }

    /** Every module has this preset by the target Linear. */
    Layer all(String preset) {
      return all(PresetSchemes.named(preset).scheme(List.of("Linear")));
    }

    Layer all(QuantizationScheme scheme) {
      shapes.keySet().forEach(name -> scheme(name, scheme));
      return this;
    }

    Layer scheme(String name, QuantizationScheme scheme) {
      QuantizationScheme complete = scheme.withFormat(scheme.formatOrDefault());
      schemes.put(name, complete);
      return this;
    }

    Layer plain(String name) {
      schemes.remove(name);
      return this;
    }

    Layer ranks(int ranks) {
      this.ranks = ranks;
      return this;
    }

    Layer heads(long heads) {
      this.heads = heads;
      return this;
    }

    Layer sharedHead() {
      sharedHead = true;
      return this;
    }

    List<Finding> check() {
      schemes.values().forEach(config::add);
      List<ServedModule> modules = new ArrayList<>();
      shapes.forEach(
          (name, shape) ->
              modules.add(
                  new ServedModule(
                      name,
                      name.endsWith("embed_tokens") ? ModuleClass.EMBEDDING : ModuleClass.LINEAR,
                      shape[0],
                      shape[1],
                      Optional.ofNullable(schemes.get(name)))));
      return EngineChecks.run(
          new ServedModel(
              modules, config.build(), OptionalLong.of(heads), OptionalLong.of(2), sharedHead, ranks));
    }
  }

  private static QuantizationScheme preset(String name, String... targets) {
    return PresetSchemes.named(name).scheme(List.of(targets));
  }

  private static void refused(List<Finding> findings, String module, String problem) {
    found(findings, Finding.Severity.REFUSED, module, problem);
  }

  private static void found(
      List<Finding> findings, Finding.Severity severity, String module, String problem) {
    assertThat(findings)
        .anySatisfy(
            finding -> {
              assertThat(finding.severity()).isEqualTo(severity);
              assertThat(finding.module()).contains(module);
              assertThat(finding.problem()).contains(problem);
              assertThat(finding.remedy()).endsWith(".");
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FP8_DYNAMIC", "FP8", "FP8_BLOCK", "W8A8", "W8A16", "W4A16", "W4A16_ASYM", "W4A8", "NVFP4",
        "NVFP4A16", "MXFP4", "MXFP4A16", "MXFP8", "MXFP8A16", "W3A16"
      })
  void aWholeLayerOfAnyPresetIsFine(String name) {
    assertThat(new Layer().all(name).check()).isEmpty();
    assertThat(new Layer().all(name).ranks(2).check()).isEmpty();
  }

  @Test
  void fusedModulesNeedOneScheme() {
    List<Finding> findings =
        new Layer()
            .all("FP8_DYNAMIC")
            .scheme(ATTENTION + "k_proj", preset("W8A8", ATTENTION + "k_proj"))
            .check();
    refused(findings, ATTENTION + "qkv_proj", "q_proj, k_proj, v_proj into one matrix");
    refused(
        new Layer().all("FP8_DYNAMIC").plain(MLP + "up_proj").check(),
        MLP + "gate_up_proj",
        "they have different ones");
  }

  @Test
  void expertsOfALayerNeedOneScheme() {
    Layer layer = new Layer();
    for (int expert = 0; expert < 3; expert++) {
      for (String name : List.of("gate_proj", "up_proj", "down_proj")) {
        layer.shape(MLP + "experts." + expert + "." + name, 1024, 1024);
      }
    }
    assertThat(layer.all("W4A16").check()).isEmpty();
    for (String name : List.of("gate_proj", "up_proj", "down_proj")) {
      layer.plain(MLP + "experts.1." + name);
    }
    refused(layer.check(), MLP + "experts", "one scheme for all experts");
  }

  @Test
  void aClassTakesFusedModulesFromPatternsOfTheirParts() {
    Layer layer = new Layer().all("W4A16");
    for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      layer.scheme(ATTENTION + name, preset("FP8_DYNAMIC", SHARDS));
    }
    List<Finding> findings = layer.check();
    assertThat(findings).hasSize(1);
    refused(findings, ATTENTION + "qkv_proj", "would take the scheme of Linear");
    assertThat(findings.getFirst().remedy()).contains("patterns instead of classes");
  }

  @Test
  void patternsForEverythingAreFound() {
    Layer layer = new Layer().all(preset("W4A16", "re:.*mlp.*"));
    for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      layer.scheme(ATTENTION + name, preset("FP8_DYNAMIC", SHARDS));
    }
    assertThat(layer.check()).isEmpty();
  }

  @Test
  void namesOfOtherGroupsDoNotMatterToThemselves() {
    Layer layer = new Layer().all(preset("W4A16", "re:.*proj"));
    layer.scheme(MLP + "down_proj", preset("FP8_DYNAMIC", MLP + "down_proj"));
    List<Finding> findings = layer.check();
    refused(findings, MLP + "down_proj", "would take the scheme of re:.*proj");
    assertThat(findings.getFirst().remedy()).contains("leave this name out").doesNotContain("class");
  }

  @Test
  void argumentsWithoutASchemeAreRefused() {
    QuantizationArgs asymmetric =
        QuantizationArgs.builder().numBits(4).groupSize(128).symmetric(false).build();
    QuantizationArgs inputs = preset("W8A8", "x").inputActivations().orElseThrow();
    refused(
        new Layer()
            .all(
                QuantizationScheme.of(
                    List.of("Linear"), Optional.of(asymmetric), Optional.of(inputs)))
            .check(),
        "q_proj, model.layers.0.self_attn.k_proj, model.layers.0.self_attn.v_proj and 4 more",
        "no scheme for asymmetric 4-bit int weights by group with 8-bit int inputs");
    QuantizationArgs floats =
        QuantizationArgs.builder()
            .numBits(8)
            .type(QuantizationType.FLOAT)
            .groupSize(128)
            .build();
    refused(
        new Layer()
            .all(QuantizationScheme.of(List.of("Linear"), Optional.of(floats), Optional.empty()))
            .check(),
        "q_proj",
        "8-bit float weights by group in format naive-quantized");
  }

  @Test
  void quantizedEmbeddingsAreAWarning() {
    found(
        new Layer()
            .shape("model.embed_tokens", 4096, 1024)
            .scheme("model.embed_tokens", preset("W8A16", "Embedding"))
            .check(),
        Finding.Severity.DEGRADED,
        "model.embed_tokens",
        "few of its model classes");
  }

  @Test
  void aSharedQuantizedTableGivesNoLogits() {
    refused(
        new Layer()
            .shape("model.embed_tokens", 4096, 1024)
            .scheme("model.embed_tokens", preset("W8A16", "Embedding"))
            .sharedHead()
            .check(),
        "model.embed_tokens",
        "computes no logits with it");
  }

  private static Layer experts(QuantizationScheme scheme, long hidden, long intermediate) {
    Layer layer = new Layer();
    for (int expert = 0; expert < 2; expert++) {
      String prefix = MLP + "experts." + expert + ".";
      layer.shape(prefix + "gate_proj", intermediate, hidden);
      layer.shape(prefix + "up_proj", intermediate, hidden);
      layer.shape(prefix + "down_proj", hidden, intermediate);
      for (String name : List.of("gate_proj", "up_proj", "down_proj")) {
        layer.scheme(prefix + name, scheme);
      }
    }
    return layer;
  }

  private static QuantizationScheme args(
      QuantizationArgs.Builder weights, QuantizationScheme inputsOf) {
    return QuantizationScheme.of(
        List.of("re:.*experts.*"), Optional.of(weights.build()), inputsOf.inputActivations());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FP8_DYNAMIC", "FP8", "FP8_BLOCK", "W8A8", "W8A16", "W4A16", "W4A16_ASYM", "W4AFP8", "NVFP4",
        "NVFP4A16", "MXFP4", "MXFP4A16", "MXFP8", "MXFP8A16"
      })
  void expertsOfThesePresetsAreFine(String name) {
    // Beside attention that is not quantized.
    assertThat(experts(preset(name, "re:.*experts.*"), 1024, 512).check()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "W2A16; 4- or 8-bit integers in format pack-quantized alone, and finds 2-bit ints; W4A16",
        "W3A16; and finds 3-bit ints in format pack-quantized; W4A16",
        "W7A16; and finds 7-bit ints in format pack-quantized; W8A16",
        "W4A8; 4-bit integers with 8-bit integer inputs on CPUs alone; W4AFP8",
        "W3A8; cannot run experts of 3-bit int weights by group with 8-bit int inputs; W8A8",
        "W4A4; cannot run experts of 4-bit int weights by group with 4-bit int inputs; W4A16",
      })
  void expertsOfOtherPresetsAreRefused(String name, String problem, String remedy) {
    List<Finding> findings = experts(preset(name, "re:.*experts.*"), 1024, 512).check();
    assertThat(findings).hasSize(1);
    refused(findings, "experts.0.gate_proj", problem);
    assertThat(findings.getFirst().module()).endsWith(" and 3 more");
    assertThat(findings.getFirst().remedy()).contains(remedy);
  }

  @Test
  void expertsOfFp8NeedInputsThatFit() {
    QuantizationScheme none = preset("W4A16", "x");
    QuantizationScheme tokens = preset("FP8_DYNAMIC", "x");
    QuantizationArgs.Builder fp8 =
        QuantizationArgs.builder().numBits(8).type(QuantizationType.FLOAT);
    refused(
        experts(args(fp8.strategy(QuantizationStrategy.CHANNEL), none), 1024, 512).check(),
        "experts",
        "and finds 8-bit floats in format naive-quantized");
    for (QuantizationScheme inputs : List.of(none, tokens)) {
      refused(
          experts(args(fp8.strategy(QuantizationStrategy.TENSOR), inputs), 1024, 512).check(),
          "experts",
          "cannot run experts of 8-bit float weights by tensor");
    }
    refused(
        experts(
                args(
                    QuantizationArgs.builder().numBits(8).strategy(QuantizationStrategy.TENSOR),
                    preset("W8A8", "x")),
                1024,
                512)
            .check(),
        "experts",
        "cannot run experts of 8-bit int weights by tensor");
  }

  @Test
  void shapesOfExperts() {
    refused(
        experts(preset("FP8_BLOCK", "re:.*experts.*"), 1024, 576).check(),
        "experts.0.gate_proj",
        "blocks of 128 that divide the rows of an expert, and it has 576");
    found(
        experts(preset("W4A16", "re:.*experts.*"), 1088, 512).check(),
        Finding.Severity.DEGRADED,
        "experts.0.gate_proj",
        "1088 columns are no multiple of 128");
  }

  @Test
  void expertsAreFoundByTheNamesOfTheirParts() {
    QuantizationScheme parts =
        preset("W4A16", "re:.*experts.*(gate|up)_proj", "re:.*experts.*down_proj");
    Layer layer = experts(parts, 1024, 512);
    layer.scheme(MLP + "gate_proj", preset("FP8_DYNAMIC", "Linear"));
    layer.scheme(MLP + "up_proj", preset("FP8_DYNAMIC", "Linear"));
    assertThat(layer.check()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"8, 3, num_attention_heads 8", "9, 3, num_key_value_heads 2"})
  void headsGoToRanksWhole(long heads, int ranks, String problem) {
    refused(
        new Layer().all("FP8_DYNAMIC").heads(heads).ranks(ranks).check(), "config.json", problem);
  }

  @Test
  void groupsMustDivideTheColumnsOfARank() {
    List<Finding> findings =
        new Layer()
            .shape(MLP + "gate_proj", 1408, 1024)
            .shape(MLP + "up_proj", 1408, 1024)
            .shape(MLP + "down_proj", 1024, 1408)
            .all("W4A16")
            .ranks(4)
            .check();
    refused(findings, MLP + "down_proj", "352 of its 1408 columns, which groups of 128");
    assertThat(findings).hasSize(1);
    assertThat(findings.getFirst().remedy())
        .isEqualTo(
            "Use one rank, a scheme by channel, or a recipe with a group_size that divides 352.");
    assertThat(
            new Layer()
                .shape(MLP + "gate_proj", 1408, 1024)
                .shape(MLP + "up_proj", 1408, 1024)
                .shape(MLP + "down_proj", 1024, 1408)
                .all("FP8_DYNAMIC")
                .ranks(4)
                .check())
        .isEmpty();
  }

  @Test
  void rowsAndColumnsAreDealtOutEvenly() {
    refused(
        new Layer()
            .shape(MLP + "gate_proj", 2050, 1024)
            .shape(MLP + "up_proj", 2050, 1024)
            .shape(MLP + "down_proj", 1024, 2050)
            .all("FP8_DYNAMIC")
            .ranks(4)
            .check(),
        MLP + "gate_proj, " + MLP + "up_proj",
        "2050 rows cannot be dealt out evenly to 4 ranks");
  }

  @Test
  void blocksMustDivideThePartsOfARank() {
    List<Finding> findings =
        new Layer()
            .shape(MLP + "gate_proj", 1152, 1024)
            .shape(MLP + "up_proj", 1152, 1024)
            .shape(MLP + "down_proj", 1024, 1152)
            .all("FP8_BLOCK")
            .ranks(2)
            .check();
    refused(findings, MLP + "gate_proj", "576 rows, which blocks of 128 do not divide");
    refused(findings, MLP + "down_proj", "576 columns, which blocks of 128 do not divide");
    // Two key-value heads of 128 rows on eight ranks: each rank has one of them whole.
    assertThat(new Layer().all("FP8_BLOCK").ranks(8).check()).isEmpty();
  }

  @Test
  void shapesOfKernels() {
    refused(
        new Layer().shape(MLP + "down_proj", 1024, 200).all("FP8_BLOCK").check(),
        MLP + "down_proj",
        "200 columns, and activations are quantized by whole groups of 128");
    found(
        new Layer().shape(MLP + "down_proj", 1000, 2048).all("FP8_BLOCK").check(),
        Finding.Severity.DEGRADED,
        MLP + "down_proj",
        "1000 rows, which is no multiple of 64");
    refused(
        new Layer().shape(ATTENTION + "o_proj", 64, 1024).all("MXFP8").check(),
        ATTENTION + "o_proj",
        "fail below 128");
    found(
        new Layer().shape(MLP + "down_proj", 1024, 2056).all("W8A8").check(),
        Finding.Severity.DEGRADED,
        MLP + "down_proj",
        "no multiples of 16");
    QuantizationArgs groups = QuantizationArgs.builder().numBits(4).groupSize(256).build();
    found(
        new Layer()
            .all(QuantizationScheme.of(List.of("Linear"), Optional.of(groups), Optional.empty()))
            .check(),
        Finding.Severity.DEGRADED,
        "and 4 more",
        "no kernel for groups of 256");
  }
}
