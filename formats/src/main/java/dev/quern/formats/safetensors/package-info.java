/**
 * The safetensors container: eight bytes of header length, a JSON header, then the bytes of all
 * tensors.
 *
 * <p><b>Reading.</b> {@link dev.quern.formats.safetensors.SafetensorsFile#open} reads the header
 * and nothing else. A header is untrusted input: it passes a list of named checks before anything
 * is allocated from a number in it, and each check has its own message with file, tensor, byte,
 * what was expected, what was found and what to do. Tensor bytes are mapped window by window,
 * because mapped pages count as resident memory.
 *
 * <p><b>Writing.</b> {@link dev.quern.formats.safetensors.SafetensorsLayout} decides every byte of
 * the header and every offset before the first tensor is computed. The order is that of the
 * reference implementation (element type from the widest to the narrowest, then name), so that
 * equal tensors give equal files. {@link dev.quern.formats.safetensors.SafetensorsWriter} takes
 * pieces of tensors in any order from any thread, and keeps a ledger: a file closes well only when
 * each byte was written once.
 *
 * <p><b>Shards.</b> {@link dev.quern.formats.safetensors.ShardPlan} divides tensors among files,
 * {@link dev.quern.formats.safetensors.ShardedIndex} is the file that says which is where.
 *
 * <p>Nothing here knows what a tensor means. Source: the safetensors format and the behaviour of
 * its reference implementation, version 0.8.
 */
package dev.quern.formats.safetensors;
