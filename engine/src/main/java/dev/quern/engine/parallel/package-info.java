/**
 * Work on several threads with the result of one.
 *
 * <p>{@link dev.quern.engine.parallel.Workers} runs numbered tasks on a fixed number of threads.
 * How work is cut into tasks depends on the data alone, never on the number of threads; a task
 * computes from its number and puts its result into a place of its own. So the outcome does not
 * depend on who ran what when.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>Tasks start in ascending order. When some fail, the failure with the lowest number is
 *       reported: all tasks below it have started, and are waited for.
 *   <li>{@code run} returns, or throws, when no task runs any more, even if its caller was
 *       interrupted; what the tasks work on may then be freed.
 *   <li>Sums over tasks are added up afterwards, in the order of their numbers.
 * </ul>
 *
 * <p>Threads: one run at a time, and none from within a task, which would wait for itself. The
 * index of the worker that a task is told chooses scratch memory and nothing else.
 *
 * <p>What may happen here: starting, ordering and ending tasks. What may not: numbers, memory,
 * files, and anything that makes a result depend on timing.
 */
package dev.quern.engine.parallel;
