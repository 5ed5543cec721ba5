/**
 * Packed layouts: where each bit of a quantized tensor lies in the memory that a GPU kernel reads.
 *
 * <p>A {@link dev.quern.formats.layout.Layout} is a named bijection. On one side is the logical
 * matrix as checkpoints hold it: rows without gaps, lowest bits first. On the other is the kernel's
 * tensor, padded to whole tiles. Its law is one formula, {@link
 * dev.quern.formats.layout.Layout#bit}; {@code pack} and {@code unpack} are the same map in bulk,
 * and tests prove that they agree, for every bit, on shapes that fit and on ragged ones.
 *
 * <p>Nearly all are {@link dev.quern.formats.layout.StridedLayout}s: each binary digit of the row's
 * and the column's number has a stride of its own. Such a layout says its strides, and the kernels
 * of the engine move the elements.
 *
 * <p>A {@link dev.quern.formats.layout.KernelLayout} is what one kernel reads for a whole module:
 * which tensors, in which layouts, computed or moved. What its plan does not give back bit for bit
 * stays beside it, so that every logical tensor can be had again. Kernels that cannot take every
 * number look at them before anything is packed. {@link dev.quern.formats.layout.KernelLayouts}
 * knows all of those; {@link dev.quern.formats.layout.OpaqueLayout} those that cannot be.
 *
 * <p>{@link dev.quern.formats.layout.Layouts} knows all layouts of tensors by their ids, {@code
 * name@version}. A layout never changes under its id: a change of one bit is a new version.
 */
package dev.quern.formats.layout;
