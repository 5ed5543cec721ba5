/**
 * Jinja as chat templates use it, rendered as transformers renders it.
 *
 * <p>A template comes with a model, so it is untrusted, and it must give the same text as Python's
 * Jinja 3.1 to the last space, or calibration sees conversations that the model never saw. Java's
 * Jinja libraries fail at both: they reach Java methods by reflection and know Java's strings, not
 * Python's. Hence this small interpreter of its own. It has no reflection, no files, no clock and
 * no mutation, and it counts its steps and the characters it makes.
 *
 * <ul>
 *   <li>{@link dev.quern.formats.jinja.Template} is the way in: parse, then render.
 *   <li>{@code Lexer} cuts text from blocks, with {@code trim_blocks} and {@code lstrip_blocks}.
 *   <li>{@code StatementParser} and {@code ExpressionParser} make the tree of {@code Statement}s
 *       and {@code Expression}s.
 *   <li>{@code Interpreter} runs it; {@code Operators}, {@code Filters}, {@code ValueTests}, {@code
 *       Methods} and {@code Globals} are what it can call.
 *   <li>{@code Values} holds Python's rules: truth, equality, {@code str}, {@code repr}.
 * </ul>
 *
 * <p>Values are Java objects: {@code String}, {@code Long}, {@code Double}, {@code Boolean}, {@code
 * None}, {@code Undefined}, {@code List}, {@code Map}, {@code Namespace} and {@code Callable}.
 *
 * <p>Left out, with an error that says so: {@code include}, {@code import}, {@code extends}, {@code
 * call}, {@code recursive} loops, and autoescaping. A tuple is a list, and prints as one.
 */
package dev.quern.formats.jinja;
