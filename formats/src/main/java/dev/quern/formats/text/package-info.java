/**
 * The one room that reads text as a model reads it: from a text or a conversation to token ids.
 *
 * <ul>
 *   <li>{@link dev.quern.formats.text.Tokenizer}: {@code tokenizer.json}, run by Hugging Face's own
 *       tokenizers library, which DJL brings as native code in its jar. Nothing is downloaded and
 *       nobody is told.
 *   <li>{@link dev.quern.formats.text.ChatTemplate}: {@code chat_template.jinja} or {@code
 *       tokenizer_config.json}, rendered by {@link dev.quern.formats.jinja}.
 *   <li>{@link dev.quern.formats.text.TextEncoder}: both of a model folder, each opened when it is
 *       first needed. Whoever brings ids never loads the native library.
 * </ul>
 *
 * <p>Only {@link dev.quern.formats.calibration} and the pipeline may use this room; the rest of the
 * formats stay pure Java.
 */
package dev.quern.formats.text;
