/**
 * Every byte that Quern reads or writes. The packages below each know one format:
 *
 * <ul>
 *   <li>{@link dev.quern.formats.safetensors}: the container of tensors;
 *   <li>{@link dev.quern.formats.huggingface}: a model folder;
 *   <li>{@link dev.quern.formats.compressedtensors}: how a compressed checkpoint describes itself,
 *       and which tensors it has;
 *   <li>{@link dev.quern.formats.recipe}: what is to be done to a checkpoint;
 *   <li>{@link dev.quern.formats.target}: what inference engines accept;
 *   <li>{@link dev.quern.formats.calibration}: the data that a model is calibrated on;
 *   <li>{@link dev.quern.formats.text} and {@link dev.quern.formats.jinja}: its tokenizer and its
 *       chat template;
 *   <li>{@link dev.quern.formats.json}: JSON and YAML documents.
 * </ul>
 *
 * <p>Whatever comes from outside is untrusted: it is checked before memory is taken for it, and
 * refused with a {@link dev.quern.formats.CheckpointException} that says where, what was expected,
 * what was found, and what to do next. Whatever goes out depends on its content alone: no
 * timestamps, no order of hash maps, no locale.
 *
 * <p>Tensor bytes pass through as memory segments. Nothing here computes with them; that is the
 * engine's part, of which only number formats and native memory are known here.
 */
package dev.quern.formats;
