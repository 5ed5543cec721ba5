/**
 * A model folder as the Hugging Face hub lays it out: {@code config.json}, weights in one or more
 * safetensors files with an index, and everything else.
 *
 * <p>{@link dev.quern.formats.huggingface.HuggingFaceCheckpoint#open} reads headers only and
 * decides for every file of the folder what it is: weights, a file to copy through unchanged, or a
 * file to leave out, with the reason. Nothing is dropped silently.
 *
 * <p>The folder is untrusted. Index and folder must agree tensor for tensor, file names in the
 * index are plain names, and a symbolic link that leads out of the folder is refused, except inside
 * a hub cache, where each snapshot consists of links into the model's own blobs.
 */
package dev.quern.formats.huggingface;
