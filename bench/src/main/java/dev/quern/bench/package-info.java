/**
 * JMH benchmarks, generators of large checkpoints, and the laboratory of numbered experiments.
 *
 * <p>{@code bench/run} is the way in. {@link dev.quern.bench.BenchTable} measures the kernels and
 * prints one table; {@link dev.quern.bench.SyntheticCheckpoint} writes a checkpoint of any size.
 * {@code docs/performance.md} says how to read the figures. A benchmark extends {@code Weights},
 * which fills a matrix, and checks its results before they count.
 *
 * <p>Sees every room but the command line; nothing sees this one. Benchmarks stand on the class
 * path, never in the product. The tests of this module hold the rules that need all modules at
 * once, such as the package rule.
 */
package dev.quern.bench;
