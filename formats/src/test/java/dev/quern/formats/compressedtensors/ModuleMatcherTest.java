package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ModuleMatcherTest {
  private static final ModuleRef Q = linear("model.layers.0.self_attn.q_proj");
  private static final ModuleRef HEAD = linear("lm_head");
  private static final ModuleRef TABLE = new ModuleRef("model.embed_tokens", "Embedding");
  private static final List<String> NONE = List.of();

  @Test
  void aNameIsTheFullName() {
    ModuleMatcher matcher = ModuleMatcher.of(List.of(Q.name()), NONE);
    assertThat(matcher.target(Q)).contains(Q.name());
    assertThat(matcher.target(linear(Q.name() + ".inner"))).isEmpty();
    assertThat(ModuleMatcher.of(List.of("q_proj"), NONE).target(Q)).isEmpty();
  }

  @Test
  void anExpressionIsAnchoredAtTheStartOnly() {
    assertThat(ModuleMatcher.of(List.of("re:model"), NONE).target(Q)).contains("re:model");
    assertThat(ModuleMatcher.of(List.of("re:layers"), NONE).target(Q)).isEmpty();
    assertThat(ModuleMatcher.of(List.of("re:.*q_pro"), NONE).target(Q)).isPresent();
    assertThat(ModuleMatcher.of(List.of("re:.*q_pro$"), NONE).target(Q)).isEmpty();
  }

  @Test
  void aClassNameMatchesItsClass() {
    ModuleMatcher linear = ModuleMatcher.of(List.of("Linear"), NONE);
    assertThat(linear.target(Q)).contains("Linear");
    assertThat(linear.target(new ModuleRef("x", "LinearBase"))).contains("Linear");
    assertThat(linear.target(new ModuleRef("x", "Conv1D"))).isEmpty();
    assertThat(linear.target(TABLE)).isEmpty();
    assertThat(ModuleMatcher.of(List.of("LinearBase"), NONE).target(Q)).isEmpty();
    assertThat(ModuleMatcher.of(List.of("Embedding"), NONE).target(TABLE)).contains("Embedding");
    assertThat(ModuleMatcher.of(List.of("re:Linear"), NONE).target(Q))
        .as("expressions see names, not classes")
        .isEmpty();
  }

  @Test
  void ignoreWins() {
    ModuleMatcher matcher = ModuleMatcher.of(List.of("Linear", HEAD.name()), List.of("lm_head"));
    assertThat(matcher.target(HEAD)).isEmpty();
    assertThat(matcher.ignoredBy(HEAD)).contains("lm_head");
    assertThat(matcher.target(Q)).contains("Linear");
    assertThat(matcher.ignoredBy(Q)).isEmpty();
    assertThat(ModuleMatcher.of(List.of("Linear"), List.of("re:.*attn")).target(Q)).isEmpty();
    assertThat(ModuleMatcher.of(List.of("Linear"), List.of("Linear")).target(Q)).isEmpty();
  }

  @Test
  void namesComeBeforeExpressionsBeforeClasses() {
    List<String> all = List.of("Linear", "re:.*q_proj", "re:.*attn.*", Q.name());
    assertThat(ModuleMatcher.of(all, NONE).target(Q)).contains(Q.name());
    assertThat(ModuleMatcher.of(all.subList(0, 3), NONE).target(Q))
        .as("expressions in order of their text, not of the list")
        .contains("re:.*attn.*");
    assertThat(ModuleMatcher.of(all.subList(0, 2), NONE).target(Q)).contains("re:.*q_proj");
  }

  @Test
  void aFusedModuleMatchesWhenAPartDoes() {
    Map<String, List<String>> fused = Map.of("qkv_proj", List.of("q_proj", "k_proj", "v_proj"));
    ModuleRef qkv = linear("model.layers.0.self_attn.qkv_proj");
    assertThat(ModuleMatcher.of(List.of("re:.*k_proj"), NONE).target(qkv)).isEmpty();
    assertThat(ModuleMatcher.of(List.of("re:.*k_proj"), NONE, fused).target(qkv)).isPresent();
    assertThat(ModuleMatcher.of(List.of(Q.name()), NONE, fused).target(qkv)).contains(Q.name());
    assertThat(ModuleMatcher.of(List.of("re:.*o_proj"), NONE, fused).target(qkv)).isEmpty();
    assertThat(ModuleMatcher.of(List.of("Linear"), List.of("re:.*v_proj"), fused).target(qkv))
        .isEmpty();
  }

  @Test
  void tellsWhichEntriesMatchNothing() {
    ModuleMatcher matcher =
        ModuleMatcher.of(
            List.of("Linear", "re:.*qproj", "Conv1D"), List.of("lm_head", "re:.*gate$", "head"));
    List<ModuleRef> modules = List.of(Q, HEAD, TABLE);
    assertThat(matcher.unusedTargets(modules)).containsExactly("Conv1D", "re:.*qproj");
    assertThat(matcher.unusedIgnores(modules)).containsExactly("re:.*gate$", "head");
    assertThat(ModuleMatcher.of(List.of("lm_head"), List.of("lm_head")).unusedTargets(modules))
        .as("an ignored module still uses its target")
        .isEmpty();
  }

  @Test
  void refusesEntriesThatMeanNothing() {
    for (String text : List.of("", " ", "re:")) {
      assertThatThrownBy(() -> ModuleMatcher.of(List.of("Linear"), List.of(text)))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("\"" + text + "\" names no module");
    }
    assertThatThrownBy(() -> ModuleMatcher.of(List.of("re:(a"), NONE))
        .hasMessageContaining("the pattern \"re:(a\" is not usable");
  }

  @Test
  void theSchemeOfAModule() {
    QuantizationScheme mlp = PresetSchemes.named("W4A16").scheme(List.of("Linear"));
    QuantizationScheme attention = PresetSchemes.named("W8A16").scheme(List.of("re:.*attn"));
    SchemeMatcher schemes = SchemeMatcher.of(List.of(mlp, attention), List.of("lm_head"));
    assertThat(schemes.scheme(Q)).contains(attention);
    assertThat(schemes.scheme(linear("model.layers.0.mlp.up_proj"))).contains(mlp);
    assertThat(schemes.scheme(HEAD)).isEmpty();
    assertThat(schemes.scheme(TABLE)).isEmpty();
    assertThat(schemes.matcher().ignoredBy(HEAD)).contains("lm_head");
    QuantizationScheme again = PresetSchemes.named("FP8").scheme(List.of("Linear"));
    assertThat(SchemeMatcher.of(List.of(mlp, again), NONE).scheme(HEAD)).contains(again);
  }

  private static ModuleRef linear(String name) {
    return new ModuleRef(name, ModuleClass.LINEAR);
  }
}
