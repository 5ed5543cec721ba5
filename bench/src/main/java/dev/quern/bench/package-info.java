/**
 * JMH benchmarks, generators of large checkpoints, and the laboratory of numbered experiments.
 *
 * <p>Sees every room but the command line; nothing sees this one. Benchmarks stand on the class
 * path, never in the product. The tests of this module hold the rules that need all modules at
 * once, such as the package rule.
 */
package dev.quern.bench;
