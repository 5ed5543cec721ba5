/**
 * What inference engines accept: the rules by which vLLM loads and runs a compressed checkpoint,
 * asked before one is made.
 *
 * <p>{@link dev.quern.formats.target.EngineChecks} holds a list of {@link
 * dev.quern.formats.target.EngineCheck}s. Each looks at a {@link
 * dev.quern.formats.target.ServedModel}, which is names, shapes and schemes, and gives {@link
 * dev.quern.formats.target.Finding}s: what would not load, or would run slower than it could, with
 * what to do about it.
 *
 * <p>Source of the rules: vLLM, commit {@code 017e9f44} (2026-08-17), {@code
 * layers/quantization/compressed_tensors} and {@code kernels/linear}. Engines change; a rule names
 * what it was read from.
 */
package dev.quern.formats.target;
