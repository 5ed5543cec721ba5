/**
 * What a compression did, for people and machines: {@code report.html} and {@code report.json}.
 *
 * <p>{@link dev.quern.pipeline.report.Report} is the content; the pipeline fills it. Nothing in it
 * may depend on time, threads, memory or folders: the same input gives the same bytes.
 */
package dev.quern.pipeline.report;
