package dev.quern.formats.jinja;

import dev.quern.formats.json.Json;
import java.util.Map;

/**
 * A parsed template. Immutable, so it may be rendered by several threads.
 *
 * <p>Source: Jinja 3.1's {@code ImmutableSandboxedEnvironment(trim_blocks=True,
 * lstrip_blocks=True)} with the loop controls, {@code tojson}, {@code raise_exception} and {@code
 * generation} that transformers' {@code chat_template_utils} adds.
 */
public final class Template {
  /** The longest template that is read, in characters; the longest known has some 40,000. */
  public static final int MAX_CHARS = 1 << 20;

  /** The longest text that a template may make, in characters. */
  public static final int MAX_OUTPUT = 1 << 26;

  /** The most steps, iterations and evaluations that a rendering may take. */
  public static final int MAX_STEPS = 5_000_000;

  private final Statement.Body body;

  private Template(Statement.Body body) {
    this.body = body;
  }

  /**
   * Parses a template.
   *
   * @throws TemplateException when it is not a template, or uses what is left out here
   */
  public static Template parse(String source) {
    if (source.length() > MAX_CHARS) {
      throw new TemplateException(
          1, "expected at most " + MAX_CHARS + " characters, found " + source.length());
    }
    return new Template(new StatementParser(Lexer.lex(source)).template());
  }

  /**
   * Renders the template.
   *
   * @param variables what the template may use by name
   * @throws TemplateException when the template refuses the input, does what Python would refuse,
   *     or takes more than {@link #MAX_STEPS} or {@link #MAX_OUTPUT}
   */
  public String render(Map<String, ? extends Json> variables) {
    return new Interpreter(variables).run(body);
  }
}
