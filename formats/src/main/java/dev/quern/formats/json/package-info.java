/**
 * JSON as checkpoints use it: small documents ({@code config.json}, an index of shards) that are
 * read whole, kept in order and written back in the look of the tools that wrote them.
 *
 * <ul>
 *   <li>{@link dev.quern.formats.json.Json} is the tree. It is immutable. A number keeps its
 *       literal, so that {@code 1e-06} is still {@code 1e-06} after a round trip.
 *   <li>{@link dev.quern.formats.json.JsonReader} is strict: valid UTF-8, no name twice in one
 *       object, a limit on size and depth. Every refusal names the file, the line and the byte.
 *   <li>{@link dev.quern.formats.json.JsonWriter} has two looks: that of Python's {@code
 *       json.dumps} with {@code indent=2, sort_keys=True}, and the compact one of safetensors
 *       headers.
 *   <li>{@link dev.quern.formats.json.YamlReader} reads recipes, which people write as YAML, into
 *       the same tree, with limits on size, depth and aliases.
 * </ul>
 *
 * <p>Tokens come from jackson-core and snakeyaml-engine, which stay hidden behind these classes.
 * Nothing here knows what a document means.
 */
package dev.quern.formats.json;
