package dev.quern.formats.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Templates render as transformers renders them, and do no harm. */
class TemplateTest {
  private static final Json.Obj GOLDEN =
      JsonReader.readObject(TestData.path("golden/text/chat.json"));

  private static Map<String, Json> variables(Json.Obj golden) {
    Map<String, Json> variables = new LinkedHashMap<>();
    String chat = golden.string("chat").orElseThrow();
    variables.put("messages", GOLDEN.object("chats").orElseThrow().find(chat).orElseThrow());
    variables.put("bos_token", Json.of("<s>"));
    variables.put("eos_token", Json.of("</s>"));
    variables.put("add_generation_prompt", Json.of(false));
    variables.put("tools", Json.Null.NULL);
    variables.put("documents", Json.Null.NULL);
    variables.putAll(golden.object("extra").orElseThrow().members());
    return variables;
  }

  @Test
  void everyGoldenRenderingIsEqual() {
    int equal = 0;
    int refused = 0;
    for (Json each : GOLDEN.array("cases").orElseThrow()) {
      Json.Obj golden = (Json.Obj) each;
      String name = golden.string("name").orElseThrow();
      String template = golden.string("template").orElseThrow();
      if (golden.has("text")) {
        assertThat(Template.parse(template).render(variables(golden)))
            .as(name)
            .isEqualTo(golden.string("text").orElseThrow());
        equal++;
      } else {
        assertThatThrownBy(() -> Template.parse(template).render(variables(golden)))
            .as("%s, which transformers refuses: %s", name, golden.string("error"))
            .isInstanceOf(TemplateException.class);
        refused++;
      }
    }
    assertThat(equal).isEqualTo(47);
    assertThat(refused).isEqualTo(7);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '¦',
      quoteCharacter = '`',
      textBlock =
          """
          {% if true %}             ¦ expected one of {% elif %}, {% else %}, {% endif %}, found the end of the template
          {% frob %}                ¦ no statement named 'frob'
          {{ x | frob }}            ¦ no filter named 'frob'
          {{ x is frob }}           ¦ no test named 'frob'
          {{ 'a                     ¦ a block has no end
          {{ 1 +                    ¦ a block has no end }}
          {{ x ? }}                 ¦ unexpected character '?'
          {% break %}               ¦ 'break' outside of a loop
          {% call f() %}{% endcall %} ¦ {% call %} is not supported in chat templates
          {{ x.frob() }}            ¦ 'x' is undefined
          {{ range(1000000) }}      ¦ range() has more than 100000 items
          {{ 9223372036854775807 + 1 }} ¦ has no value of 64 bits
          {{ 'x' * 100000000 }}     ¦ a string grows too long
          {{ strftime_now('%Q') }}  ¦ strftime_now() does not know %Q
          {{ raise_exception('no') }} ¦ no
          {# never ends             ¦ a comment {# has no end #}
          {{ {[1]: 2} }}            ¦ a list cannot be a key
          {{ 1 < 'a' }}             ¦ a number and a string have no order
          """)
  void saysWhatIsWrong(String template, String message) {
    String source = template.startsWith("{{ 'a") ? "{{ 'a' " : template;
    assertThatThrownBy(() -> Template.parse(source).render(Map.of()))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining(message);
  }

  @Test
  void saysInWhichLine() {
    assertThatThrownBy(
            () ->
                Template.parse("a\nb\n{% if x %}\n{{ y.z }}{% endif %}")
                    .render(Map.of("x", Json.of(true))))
        .isInstanceOfSatisfying(TemplateException.class, e -> assertThat(e.line()).isEqualTo(4));
  }

  @Test
  void hostileTemplatesEnd() {
    for (String template :
        List.of(
            "(".repeat(100_000),
            "{{ " + "(".repeat(100_000),
            "{{ " + "not ".repeat(100_000) + "1 }}",
            "{{ 1" + " + 1".repeat(100_000) + " }}",
            "{{ x" + "|trim".repeat(100_000) + " }}",
            "{{ x" + ".a".repeat(100_000) + " }}",
            "{% if 1 %}".repeat(100_000),
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            "{% set ns = namespace(x='a') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}"
                + "{% endfor %}",
            "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}"
                + "{% endfor %}",
            "{% set ns = namespace(x=[1]) %}{% for a in range(60) %}{% set ns.x = [ns.x, ns.x] %}"
                + "{% endfor %}{{ ns.x }}",
            "{{ " + "x if 1 else ".repeat(50_000) + "1 }}")) {
      if (template.startsWith("(")) {
        assertThat(Template.parse(template).render(Map.of())).isEqualTo(template);
      } else {
        assertThatThrownBy(() -> Template.parse(template).render(Map.of()))
            .isInstanceOf(TemplateException.class);
      }
    }
  }

  /** Damage of any kind ends in a text or in our own exception. */
  @Test
  void damagedTemplatesAreRefusedOrRendered() {
    SplittableRandom random = new SplittableRandom(7);
    List<Json> cases = GOLDEN.array("cases").orElseThrow();
    int refused = 0;
    for (int round = 0; round < 4_000; round++) {
      Json.Obj golden = (Json.Obj) cases.get(random.nextInt(cases.size()));
      StringBuilder template = new StringBuilder(golden.string("template").orElseThrow());
      for (int edits = 1 + random.nextInt(3); edits > 0 && !template.isEmpty(); edits--) {
        int at = random.nextInt(template.length());
        switch (random.nextInt(3)) {
          case 0 -> template.deleteCharAt(at);
          case 1 -> template.insert(at, "{}%()[]'\"|.,:-+~ 0aé".charAt(random.nextInt(20)));
          default -> template.setLength(at);
        }
      }
      try {
        Template.parse(template.toString()).render(variables(golden));
      } catch (TemplateException e) {
        assertThat(e.getMessage()).isNotBlank();
        refused++;
      }
    }
    assertThat(refused).isBetween(1_000, 3_999);
  }
}
