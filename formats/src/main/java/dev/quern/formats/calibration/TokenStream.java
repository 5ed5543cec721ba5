package dev.quern.formats.calibration;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.text.TextEncoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * A file's records as one stream of token ids, in the order of the file: what perplexity is
 * measured on.
 *
 * <p>The files are those of {@link CalibrationData}, with one difference: a plain text without
 * {@code <|endoftext|>} is one document, not a document for each paragraph. A text becomes the ids
 * that the tokenizer gives for it, mostly with a token for the beginning, and behind them the token
 * for the end. Conversations and ids are taken as they are.
 *
 * @param ids of all records, one behind the other
 * @param records how many they came from, the last perhaps in part
 * @param isCut whether the file goes on behind them
 */
public record TokenStream(int[] ids, long records, boolean isCut) {
  /** The most tokens that are read. */
  public static final int MAX_TOKENS = (int) CalibrationOptions.MAX_TOKENS;

  /**
   * Reads a file.
   *
   * @param encoder the model's tokenizer and chat template; not touched when the file holds ids
   * @param vocabulary the number of the model's embeddings; ids are below it
   * @param end what stands behind each text that does not end in it; empty for nothing
   * @param limit the most tokens, from 1 to {@link #MAX_TOKENS}
   * @return at least one token
   * @throws CheckpointException when the file, a record, the tokenizer or the template cannot be
   *     used, or the file has no token
   */
  public static TokenStream read(
      Path file, TextEncoder encoder, int vocabulary, OptionalInt end, int limit) {
    if (end.isPresent() && (end.getAsInt() < 0 || end.getAsInt() >= vocabulary)) {
      throw new CheckpointException(
          file.toString(),
          "expected a token for the end from 0 to " + (vocabulary - 1) + ", found " + end,
          "Correct eos_token_id in the model's config.json.");
    }
    List<int[]> parts = new ArrayList<>();
    long tokens = 0;
    long used = 0;
    boolean more;
    try (RecordSource source = CalibrationData.open(file, true)) {
      Records records = new Records(encoder, vocabulary);
      CalibrationRecord record = source.next();
      for (; record != null && tokens < limit; record = source.next()) {
        int[] ids = records.ids(record);
        if (ids.length > 0) {
          ids = record instanceof CalibrationRecord.Text ? closed(ids, end) : ids;
          parts.add(ids);
          tokens += ids.length;
          used++;
        }
      }
      more = record != null || tokens > limit;
    }
    if (tokens == 0) {
      throw new CheckpointException(
          file.toString(),
          "expected text, found none",
          "Give a file that holds text, conversations or token ids.");
    }
    int[] all = new int[(int) Math.min(limit, tokens)];
    int at = 0;
    for (int[] part : parts) {
      int n = Math.min(part.length, all.length - at);
      System.arraycopy(part, 0, all, at, n);
      at += n;
    }
    return new TokenStream(all, used, more);
  }

  private static int[] closed(int[] ids, OptionalInt end) {
    if (end.isEmpty() || ids[ids.length - 1] == end.getAsInt()) {
      return ids;
    }
    int[] closed = Arrays.copyOf(ids, ids.length + 1);
    closed[ids.length] = end.getAsInt();
    return closed;
  }
}
