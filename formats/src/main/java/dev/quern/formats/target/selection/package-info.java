/**
 * Which kernel an inference engine will run for a layer on a GPU, why, and what to know about it.
 *
 * <p>What is known of an engine is data: a {@link
 * dev.quern.formats.target.selection.KernelTable}, a JSON document with the engine's version, its
 * targets, schemes, lists of kernels in the engine's order, the gates of each kernel, and hazards.
 * Gates are {@link dev.quern.formats.target.selection.Condition}s, a line of text each, over the
 * names in {@link dev.quern.formats.target.selection.Facts}. {@link
 * dev.quern.formats.target.selection.KernelSelector} walks the lists as the engine does. A newer
 * engine is a newer table and no code.
 *
 * <p>Every layer gets exactly one kernel or a refusal with its reason, and the same question has
 * the same answer.
 */
package dev.quern.formats.target.selection;
