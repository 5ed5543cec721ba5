package dev.quern.formats.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.json.YamlReader;
import dev.quern.formats.recipe.SparsityChoice.Algorithm;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Modifiers that solve for codes and that prune: read, and written so that they read the same. */
final class SolverRecipesTest {
  private static final SolverChoice GPTQ = SolverChoice.of(SolverChoice.Algorithm.GPTQ);

  @Test
  void gptqWithItsDefaults() {
    RecipeRule rule = one("GPTQModifier: {scheme: W4A16, ignore: [lm_head]}");
    assertThat(rule.label()).isEqualTo("W4A16");
    assertThat(rule.solver()).isEqualTo(GPTQ);
    assertThat(order(rule)).contains(ActivationOrdering.STATIC);
  }

  @Test
  void gptqWithAllItsSettings() {
    RecipeRule rule =
        one(
            "GPTQModifier: {scheme: W4A16, block_size: 64, dampening_frac: 0.02, actorder: group,"
                + " offload_hessians: true, requires_calibration_data: true}");
    assertThat(rule.solver()).isEqualTo(GPTQ.withBlockSize(64).withDampening(0.02));
    assertThat(order(rule)).contains(ActivationOrdering.GROUP);
  }

  /** The schemes' own orders, the modifier's, and what comes of both; as the reference has it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "group   | null    | ''               | static",
        "group   | null    | 'actorder: null' | ''",
        "group   | weight  | ''               | weight",
        "group   | group   | ''               | group",
        "group   | group   | 'actorder: group'| group",
        "group   | group   | 'actorder: dynamic' | group",
        "group   | static  | 'actorder: weight'  | static",
        "group   | null    | 'actorder: WEIGHT'  | weight",
        "channel | null    | ''               | static",
        "channel | null    | 'actorder: group'| ''",
      })
  void ordersOfSchemesAndModifier(String strategy, String own, String given, String expected) {
    String size = strategy.equals("group") ? "group_size: 32, " : "";
    RecipeRule rule =
        one(
            String.format(
                Locale.ROOT,
                "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4,"
                    + " strategy: %s, %sactorder: %s}}}%s}",
                strategy,
                size,
                own,
                given.isEmpty() ? "" : ", " + given));
    assertThat(order(rule).map(ActivationOrdering::configName).orElse("")).isEqualTo(expected);
  }

  @Test
  void pruningBeforeQuantization() {
    Recipe recipe =
        read(
            """
            sparse_stage:
              sparse_modifiers:
                SparseGPTModifier:
                  sparsity: 0.5
                  mask_structure: 2:4
                  block_size: 64
                  dampening_frac: 0.05
                  preserve_sparsity_mask: true
                  sequential_update: true
                  sparsity_profile: null
                  targets: ['re:.*mlp.*']
                  ignore: ['re:.*lm_head']
                  refit: 16
            quant_stage:
              quant_modifiers:
                QuantizationModifier: {scheme: FP8_DYNAMIC}
            """);
    assertThat(recipe.pruning())
        .containsExactly(
            new PruningModifier(
                SparsityChoice.of(Algorithm.SPARSEGPT, "2:4", 0.5)
                    .withBlockSize(64)
                    .withDampening(0.05)
                    .withPreserveMask(true)
                    .withRefit(16),
                List.of("re:.*mlp.*"),
                List.of("re:.*lm_head")));
    assertThat(recipe.rules()).hasSize(1);
    assertThat(recipe.ignore()).containsExactly("re:.*lm_head");
    assertThat(recipe.alsoIgnoring(List.of("x")).pruning().getFirst().ignore())
        .containsExactly("re:.*lm_head", "x");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "SparseGPTModifier: {sparsity: 0.25}             | SPARSEGPT | 0:0 | 0.25 | Linear",
        "SparseGPTModifier: {mask_structure: '4:8'}      | SPARSEGPT | 4:8 | 0.5  | Linear",
        "WandaPruningModifier: {sparsity: 0.5, targets: a} | WANDA   | 0:0 | 0.5  | a",
        "WandaPruningModifier: {sparsity: 0.75, mask_structure: 3:4} | WANDA | 3:4 | 0.75 | Linear",
        "MagnitudePruningModifier: {targets: [b], init_sparsity: 0, final_sparsity: 0.6, "
            + "update_scheduler: linear} | MAGNITUDE | 0:0 | 0.6 | b",
        "MagnitudePruningModifier: {targets: b, mask_structure: unstructured, final_sparsity: 1} "
            + "| MAGNITUDE | 0:0 | 1 | b",
        "ConstantPruningModifier: {targets: [c]}         | CONSTANT  | 0:0 | 0    | c",
      })
  void waysToPrune(String text, Algorithm how, String structure, double share, String target) {
    Recipe recipe = read("s_stage: {m_modifiers: {" + text + "}}");
    assertThat(recipe.modifiers()).isEmpty();
    assertThat(recipe.pruning())
        .containsExactly(
            new PruningModifier(
                SparsityChoice.of(how, structure, share), List.of(target), List.of()));
  }

  @Test
  void whatIsWrittenReadsTheSame() {
    Recipe recipe =
        new Recipe(
            "test",
            List.of(
                new PruningModifier(
                    SparsityChoice.of(Algorithm.SPARSEGPT, "2:4", 0.5)
                        .withBlockSize(32)
                        .withPreserveMask(true),
                    List.of("re:.*q_proj"),
                    List.of("lm_head")),
                new PruningModifier(
                    SparsityChoice.of(Algorithm.WANDA, "0:0", 0.3).withRefit(4),
                    List.of("re:.*k_proj"),
                    List.of()),
                new PruningModifier(
                    SparsityChoice.of(Algorithm.MAGNITUDE, "4:8", 0.5), List.of("a"), List.of("b")),
                new PruningModifier(
                    SparsityChoice.of(Algorithm.MAGNITUDE, "0:0", 0.1), List.of("e"), List.of()),
                new PruningModifier(
                    SparsityChoice.of(Algorithm.CONSTANT, "0:0", 0), List.of("c"), List.of())),
            List.of(
                new QuantizationModifier(
                    List.of(
                        RecipeRule.preset("W4A16", List.of("Linear"))
                            .withSolver(GPTQ.withBlockSize(16).withDampening(0.5))
                            .withOrder(Optional.of(ActivationOrdering.GROUP))),
                    List.of("lm_head")),
                new QuantizationModifier(
                    List.of(RecipeRule.preset("W8A16", List.of("re:x")).withSolver(GPTQ)),
                    List.of(),
                    PresetCache.FP8)));
    String text = RecipeWriter.write(recipe);
    assertThat(read(text)).isEqualTo(recipe);
    assertThat(text)
        .as("readers of YAML 1.1 take an unquoted 2:4 for a number")
        .contains("mask_structure: '2:4'")
        .contains("GPTQModifier:\\n      targets: [Linear]".replace("\\n", "\n"), "scheme: W4A16")
        .as("without the key, order none would become static")
        .contains("actorder: null");
  }

  @Test
  void ordersThatDifferAreWrittenWithTheSchemes() {
    Recipe recipe =
        new Recipe(
            "test",
            List.of(
                new QuantizationModifier(
                    List.of(
                        RecipeRule.preset("W4A16", List.of("Linear"))
                            .withSolver(GPTQ)
                            .withOrder(Optional.of(ActivationOrdering.GROUP)),
                        RecipeRule.preset("W8A16", List.of("re:x")).withSolver(GPTQ)),
                    List.of())));
    assertThat(read(RecipeWriter.write(recipe)).rules())
        .extracting(SolverRecipesTest::order)
        .containsExactly(Optional.of(ActivationOrdering.GROUP), Optional.empty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GPTQModifier: {scheme: W4A16, blocksize: 3} | unknown key \"blocksize\" | block_size?",
        "GPTQModifier: {scheme: W4A16, block_size: 0} | expected at least 1, found 0 | Correct",
        "GPTQModifier: {scheme: W4A16, dampening_frac: -1} | dampening | found -1.0",
        "GPTQModifier: {scheme: W4A16, actorder: up} | group, weight, static, dynamic or null | up",
        "GPTQModifier: {config_groups: {g: {targets: [a], weights: {num_bits: 4, strategy: group, "
            + "group_size: 32, actorder: group}}}, actorder: static} "
            + "| is static, and the scheme of g has group | Keep one",
        "SparseGPTModifier: {} | expected \"sparsity\", the share of zeros | sparsity: 0.5",
        "SparseGPTModifier: {sparsity: 50} | from 0 to 1, like 0.5, found 50.0 | Correct",
        "SparseGPTModifier: {sparsity: [0.5, 0.6]} | one share for all targets | several modifiers",
        "SparseGPTModifier: {sparsity: 0.3, mask_structure: 2:4} | a share of 0.5 zero | 0.3",
        "SparseGPTModifier: {mask_structure: 4:2} | 0 < N < M | found \"4:2\"",
        "SparseGPTModifier: {mask_structure: block_4} | N:M | found \"block_4\"",
        "SparseGPTModifier: {sparsity: 0.5, sparsity_profile: owl} | OWL | Leave it out",
        "SparseGPTModifier: {sparsity: 0.5, targets: []} | targets | Name what is pruned",
        "SparseGPTModifier: {sparsity: 0.5, refit: -1} | refit | found -1",
        "SparseGPTModifier: {sparcity: 0.5} | unknown key \"sparcity\" | Did you mean sparsity?",
        "WandaPruningModifier: {sparsity: 0.5, block_size: 3} | unknown key \"block_size\" | known",
        "MagnitudePruningModifier: {final_sparsity: 0.5} | targets | [Linear]",
        "MagnitudePruningModifier: {targets: a, final_sparsity: 0.5, apply_globally: true} "
            + "| in each matrix | Leave it out",
        "ConstantPruningModifier: {targets: a, sparsity: 0.5} | unknown key \"sparsity\" | ignore",
        "QuantizationModifier: {scheme: W8A8}, WandaPruningModifier: {sparsity: 0.5} "
            + "| WandaPruningModifier comes after | Put it before",
      })
  void whatIsRefused(String text, String problem, String remedy) {
    assertThatThrownBy(() -> read("s_stage: {m_modifiers: {" + text + "}}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("test")
        .hasMessageContaining(problem)
        .hasMessageContaining(remedy);
  }

  @ParameterizedTest
  @CsvSource({"2:4, 2:4, 0.5", "1:4, 1:4, 0.25", "0.5, 0:0, 0.5", "1, 0:0, 1"})
  void structureOrShare(String text, String structure, double share) {
    assertThat(SparsityChoice.parse(Algorithm.MAGNITUDE, text))
        .isEqualTo(SparsityChoice.of(Algorithm.MAGNITUDE, structure, share));
  }

  @ParameterizedTest
  @CsvSource({"0:0, but not how many", "half, like 2:4", "1.5, from 0 to 1", "NaN, 0 to 1"})
  void neitherStructureNorShare(String text, String problem) {
    assertThatThrownBy(() -> SparsityChoice.parse(Algorithm.MAGNITUDE, text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(problem);
  }

  /** FP8 with one scale. */
  private static final class PresetCache {
    static final Optional<QuantizationArgs> FP8 =
        read("s_stage: {m_modifiers: {QuantizationModifier: {kv_cache_scheme: {num_bits: 8,"
                + " type: float, strategy: tensor, dynamic: false, symmetric: true}}}}")
            .modifiers()
            .getFirst()
            .cache();
  }

  private static Optional<ActivationOrdering> order(RecipeRule rule) {
    return rule.scheme().weights().orElseThrow().actorder();
  }

  private static RecipeRule one(String modifier) {
    Recipe recipe = read("s_stage: {m_modifiers: {" + modifier + "}}");
    assertThat(recipe.rules()).hasSize(1);
    return recipe.rules().getFirst();
  }

  private static Recipe read(String yaml) {
    return RecipeReader.read(
        "test", YamlReader.parseObject(yaml.getBytes(StandardCharsets.UTF_8), "test"));
  }
}
