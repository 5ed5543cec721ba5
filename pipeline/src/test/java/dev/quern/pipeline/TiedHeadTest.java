package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.testdata.TinyCheckpoint;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Embeddings and heads, alone and sharing one matrix. */
class TiedHeadTest {
  private static final String TABLE = "model.embed_tokens";
  private static final List<String> PACKED =
      List.of("weight_packed", "weight_scale", "weight_shape");

  @TempDir Path temp;

  private Path tied() {
    return TinyCheckpoint.llama("BF16")
        .without("lm_head.weight")
        .config("{\"model_type\": \"llama\", \"tie_word_embeddings\": true}")
        .write(temp.resolve("in"));
  }

  private Path untied() {
    return TinyCheckpoint.llama("BF16").write(temp.resolve("in"));
  }

  /** By row, since the tiny model has 32 columns. */
  private static RecipeRule int8(String... targets) {
    QuantizationScheme w8a8 = RecipeRule.preset("W8A8", List.of(targets)).scheme();
    return new RecipeRule(
        "int8", QuantizationScheme.of(List.of(targets), w8a8.weights(), Optional.empty()));
  }

  private HuggingFaceCheckpoint compress(Path model, RecipeRule... rules) throws Exception {
    CompressionOptions options =
        CompressionOptions.of(model, temp.resolve("out"), Recipe.of("--scheme", List.of(rules)));
    Quern.compress(options, Progress.NONE);
    VerificationReport report =
        Quern.verify(temp.resolve("out"), Optional.of(model), 2, 64_000_000, Progress.NONE);
    assertThat(report.problems()).isEmpty();
    return HuggingFaceCheckpoint.open(temp.resolve("out"));
  }

  private static Optional<Boolean> flag(HuggingFaceCheckpoint written) {
    return written.config().bool("tie_word_embeddings");
  }

  private static void has(HuggingFaceCheckpoint written, String module, List<String> parameters) {
    assertThat(
            written.tensors().stream()
                .map(SourceTensor::name)
                .filter(name -> name.startsWith(module + ".")))
        .containsExactlyInAnyOrderElementsOf(
            parameters.stream().map(p -> module + "." + p).toList());
  }

  @Test
  void aQuantizedTableLeavesThePlainHeadBehind() throws Exception {
    Path model = tied();
    try (HuggingFaceCheckpoint written = compress(model, int8("Embedding"));
        HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(model);
        Arena arena = Arena.ofConfined()) {
      has(written, TABLE, PACKED);
      has(written, "lm_head", List.of("weight"));
      assertThat(flag(written)).contains(false);
      SourceTensor head = written.find("lm_head.weight").orElseThrow();
      SourceTensor table = source.find(TABLE + ".weight").orElseThrow();
      long bytes = table.info().bytes();
      assertThat(
              head.file()
                  .map(head.info(), 0, bytes, arena)
                  .mismatch(table.file().map(table.info(), 0, bytes, arena)))
          .isEqualTo(-1);
    }
  }

  @Test
  void aQuantizedHeadLeavesThePlainTableBehind() throws Exception {
    try (HuggingFaceCheckpoint written = compress(tied(), int8("lm_head"))) {
      has(written, TABLE, List.of("weight"));
      has(written, "lm_head", PACKED);
      assertThat(flag(written)).contains(false);
    }
  }

  @Test
  void equalSchemesTieAgain() throws Exception {
    try (HuggingFaceCheckpoint written = compress(tied(), int8("Embedding", "lm_head"))) {
      has(written, TABLE, PACKED);
      has(written, "lm_head", List.of());
      assertThat(flag(written)).contains(true);
    }
  }

  @Test
  void differentSchemesAreWrittenBoth() throws Exception {
    try (HuggingFaceCheckpoint written =
        compress(tied(), int8("Embedding"), RecipeRule.preset("FP8_DYNAMIC", List.of("lm_head")))) {
      has(written, TABLE, PACKED);
      has(written, "lm_head", List.of("weight", "weight_scale"));
      assertThat(flag(written)).contains(false);
      assertThat(QuantizationConfig.ofModel(written.config()).orElseThrow().configGroups())
          .hasSize(2);
    }
  }

  @Test
  void whatIsNotTargetedStaysTied() throws Exception {
    try (HuggingFaceCheckpoint written = compress(tied(), int8("Linear"))) {
      has(written, TABLE, List.of("weight"));
      has(written, "lm_head", List.of());
      assertThat(flag(written)).contains(true);
    }
  }

  @Test
  void bytesOfTheSourceCountOnce() {
    Path model = tied();
    CompressionPlan plan =
        Quern.plan(
            CompressionOptions.of(
                model, temp.resolve("out"), Recipe.of("--scheme", List.of(int8("Embedding")))));
    assertThat(plan.bytesBefore()).isEqualTo(Quern.inspect(model).bytes());
    assertThat(plan.tensors()).last().satisfies(t -> assertThat(t.module()).isEqualTo("lm_head"));
  }

  @Test
  void anUntiedTableIsAMatrixLikeOthers() throws Exception {
    try (HuggingFaceCheckpoint written = compress(untied(), int8("Embedding"), int8("Linear"))) {
      has(written, TABLE, PACKED);
      has(written, "lm_head", List.of("weight"));
      assertThat(flag(written)).contains(false);
      QuantizationConfig config = QuantizationConfig.ofModel(written.config()).orElseThrow();
      // The table comes first in the model.
      assertThat(config.configGroups().get("group_0").targets()).containsExactly("Embedding");
      assertThat(config.configGroups().get("group_1").targets()).containsExactly("Linear");
      assertThat(config.ignore()).containsExactly("lm_head");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Embedding", "re:.*embed_tokens", TABLE})
  void aTableHasNoInputs(String target) {
    Path model = untied();
    assertThatThrownBy(() -> compress(model, RecipeRule.preset("FP8_DYNAMIC", List.of(target))))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("has no inputs that FP8_DYNAMIC could quantize");
  }

  @Test
  void theFlagStaysWhereItWas() throws Exception {
    Path model =
        TinyCheckpoint.llama("BF16")
            .without("lm_head.weight")
            .config("{\"text_config\": {\"tie_word_embeddings\": true}}")
            .write(temp.resolve("in"));
    compress(model, int8("Embedding")).close();
    Json.Obj config = JsonReader.readObject(temp.resolve("out/config.json"));
    assertThat(config.has("tie_word_embeddings")).isFalse();
    assertThat(config.object("text_config").orElseThrow().bool("tie_word_embeddings"))
        .contains(false);
  }

  private List<String> warnings(RecipeRule... rules) {
    return Quern.plan(
            CompressionOptions.of(
                tied(), temp.resolve("out"), Recipe.of("--scheme", List.of(rules))))
        .warnings();
  }

  @Test
  void aTableOfAnotherWidthIsAWarning() {
    assertThat(warnings(int8("Embedding"), RecipeRule.preset("MXFP4A16", List.of("re:.*q_proj"))))
        .anySatisfy(
            w ->
                assertThat(w)
                    .contains("model.embed_tokens gets 8 bits and other matrices 4")
                    .contains("transformers does not load"));
    assertThat(warnings(int8("Embedding"), int8("Linear")))
        .noneSatisfy(w -> assertThat(w).contains("transformers"));
  }

  @Test
  void aSharedQuantizedTableIsNothingForVllm() {
    assertThat(warnings(int8("Embedding", "lm_head")))
        .anySatisfy(w -> assertThat(w).contains("computes no logits"));
    assertThat(warnings(int8("Embedding")))
        .noneSatisfy(w -> assertThat(w).contains("computes no logits"));
  }

  @Test
  void anUntiedHeadIsCheckedLikeAnyMatrix() {
    QuantizationScheme w8a16 = RecipeRule.preset("W8A16", List.of("lm_head")).scheme();
    RecipeRule groupsOf16 =
        new RecipeRule(
            "int8 by 16",
            QuantizationScheme.of(
                List.of("lm_head"),
                Optional.of(w8a16.weights().orElseThrow().toBuilder().groupSize(16).build()),
                Optional.empty()));
    assertThat(warnings(groupsOf16))
        .anySatisfy(w -> assertThat(w).startsWith("lm_head: ").contains("groups of 16"));
  }
}
