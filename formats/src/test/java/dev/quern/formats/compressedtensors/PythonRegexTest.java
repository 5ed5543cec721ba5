package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PythonRegexTest {
  /** Each line was tried with Python's {@code re.match}; the last column is what it says. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        ".*self_attn.(q|k|v|o)_proj model.layers.0.self_attn.q_proj true",
        ".*self_attn.(q|k|v|o)_proj model.layers.0.self_attn.q_proj.inner true",
        ".*self_attn.(q|k|v|o)_proj model.layers.0.mlp.q_proj false",
        ".*lm_head lm_head true",
        ".*lm_head model.lm_head true",
        "lm_head model.lm_head false",
        "^mtp.* mtp.layers.0.fc true",
        "^mtp.* model.mtp.layers.0.fc false",
        ".*mlp.gate$ model.layers.0.mlp.gate true",
        ".*mlp.gate$ model.layers.0.mlp.gate_proj false",
        "model\\.layers\\.(?:0|1)\\. model.layers.1.mlp true",
        "model\\.layers\\.(?!0\\.).* model.layers.0.mlp false",
        ".*layers\\.[0-9]{1,2}\\.mlp model.layers.12.mlp true",
        ".*layers\\.\\d{,2}\\.mlp model.layers.12.mlp true",
        ".*layers\\.\\d{,2}\\.mlp model.layers.123.mlp false",
        "(?P<layer_no>a+)x(?P=layer_no) aaxaa true",
        "(?P<layer_no>a+)x(?P=layer_no) aaxb false",
        "(?i)LM_HEAD lm_head true",
        "a(?#remark)b ab true",
        "ab\\Z ab true",
        "ab\\Z abc false",
        "a{b a{b true",
        "a}b a}b true",
        "a{b}c a{b}c true",
        "[]a]x ]x true",
        "[^]a]x bx true",
        "[[a]x [x true",
        "[a&&b]x &x true",
        "[\\w.]+proj model.layers.0.up_proj true",
        "x|y y true",
        "(?:gate|up)_proj up_proj true",
        "(?<=a)b b false",
        "(?P<n>x)\\1 xx true"
      })
  void meansWhatItMeansInPython(String pattern, String name, boolean matches) {
    assertThat(PythonRegex.compile("here", pattern).matcher(name).lookingAt()).isEqualTo(matches);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      value = {
        "(a#Unclosed group",
        "*a#Dangling meta character",
        "[a#a character class is not closed",
        "a\\#a backslash at the end",
        "\\p{L}#Python's re knows no \\p",
        "\\Qa\\E#Python's re knows no \\Q",
        "(?<name>a)#Python writes a named group as (?P<name>...)",
        "(a)?(?(1)b|c)#conditional groups",
        "(?P=n)#there is no group named \"n\"",
        "(?P<n>a)(?P<n>b)#is used twice",
        "(?P<n#a group is not closed",
        "\\0#octal escapes"
      })
  void refusesWithTheReason(String pattern, String reason) {
    assertThatThrownBy(() -> PythonRegex.compile("ignore", pattern))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("ignore: the pattern \"re:" + pattern + "\" is not usable")
        .hasMessageContaining(reason)
        .hasMessageContaining("Write it as Python's re.match takes it");
  }

  @Test
  void aBackspaceWithinAClassAndAVerticalTab() {
    assertThat(PythonRegex.compile("here", "[\\b]").matcher("\b").lookingAt()).isTrue();
    assertThat(PythonRegex.compile("here", "\\v").matcher("\u000B").lookingAt()).isTrue();
    assertThat(PythonRegex.compile("here", "\\v").matcher("\n").lookingAt()).isFalse();
    assertThat(PythonRegex.compile("here", "\\bab\\b").matcher("ab").lookingAt()).isTrue();
  }
}
