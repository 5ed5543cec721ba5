package dev.quern.formats.huggingface;

/**
 * A file of a checkpoint's folder that is not copied through.
 *
 * @param path its path relative to the folder, with {@code /} between names
 * @param reason why, as the end of "left out because it is ..."
 */
public record LeftOutFile(String path, String reason) {}
