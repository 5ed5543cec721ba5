/**
 * Native memory: where it comes from, and how much of it may be in use.
 *
 * <ul>
 *   <li>{@link dev.quern.engine.memory.NativeMemory} allocates, aligned to 64 bytes and zeroed. The
 *       arena that is passed in owns the memory.
 *   <li>{@link dev.quern.engine.memory.Scratch} is one growing buffer of one thread, for work that
 *       repeats.
 *   <li>{@link dev.quern.engine.memory.MemoryBudget} is a number of bytes that concurrent work
 *       shares. It counts and allocates nothing: whoever takes a lease allocates at most that much
 *       while it is open.
 * </ul>
 *
 * <p>Invariants: leases never add up to more than the budget; they are granted in the order in
 * which they were asked for; what could never be granted is refused at once, not waited for.
 *
 * <p>Threads: a budget is for all of them. Scratch belongs to one thread at a time. A thread that
 * holds a lease must not ask for another one: two that do so can wait for each other for ever.
 *
 * <p>What may happen here: allocation and accounting. What may not: reading or writing elements,
 * files (mapped files belong to {@code formats}), threads of its own.
 */
package dev.quern.engine.memory;
