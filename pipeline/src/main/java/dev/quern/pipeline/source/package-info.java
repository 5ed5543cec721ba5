/**
 * A checkpoint as the model means it: each tensor under the name and in the type that a plain
 * checkpoint would have, whatever its files hold.
 *
 * <ul>
 *   <li>{@link dev.quern.pipeline.source.SourceModel} is the list of all of them, and of what is
 *       not carried over.
 *   <li>{@link dev.quern.pipeline.source.SourceWeight} is one of them: its bytes, on demand.
 *   <li>{@link dev.quern.pipeline.source.Part} says which tensor of which file it takes, and how
 *       many of its bytes.
 * </ul>
 *
 * <p>Invariants: every byte of every tensor in the files is taken by exactly one weight, or the
 * tensor is listed as not carried over. Reading the same range gives the same bytes, on any thread.
 *
 * <p>What may happen here: opening windows of source files, decoding. What may not: writing, plans,
 * threads of its own.
 */
package dev.quern.pipeline.source;
