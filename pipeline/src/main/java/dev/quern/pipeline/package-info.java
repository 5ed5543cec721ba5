/**
 * The compression of a checkpoint from folder to folder, and the public API of the library.
 *
 * <p>{@link dev.quern.pipeline.Quern} is the way in. It takes {@link
 * dev.quern.pipeline.CompressionOptions} and gives records that describe themselves and turn into
 * JSON:
 *
 * <ul>
 *   <li>{@link dev.quern.pipeline.CompressionPlan}: every tensor's fate, decided from headers
 *       alone;
 *   <li>{@link dev.quern.pipeline.CompressionReport}: what a run did, with {@link
 *       dev.quern.pipeline.ErrorStatistics} by kind of layer;
 *   <li>{@link dev.quern.pipeline.Inspection}, {@link dev.quern.pipeline.VerificationReport},
 *       {@link dev.quern.pipeline.Diagnosis}: what is in a checkpoint, whether it is sound, how
 *       fast this machine is.
 * </ul>
 *
 * <p>What is refused is a {@link dev.quern.pipeline.QuernException}; its kind says who can mend it.
 *
 * <p>Inside, a run goes one way: {@code Planner} decides, {@code CompressionRun} computes strips of
 * rows with a {@code WeightCodec} on all workers and within the memory budget, {@code ShardOutputs}
 * writes them where the layout has put them beforehand, {@code Verification} reads everything again
 * and compares it with the source, {@code OutputFolder} gives the result its name. What a strip
 * gives depends on the strip alone, so the files are the same for any number of threads.
 *
 * <p>A new scheme is a {@code WeightCodec} and a line in {@code WeightCodecs}. No arithmetic on
 * weights happens here (that is the engine's) and no byte of a file format is known here (that is
 * the formats').
 */
package dev.quern.pipeline;
