package dev.quern.formats.calibration;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Utf8Text;
import dev.quern.formats.text.TextEncoder;
import java.util.Arrays;

/** From a record to ids that the model has embeddings for, padding cut off. */
final class Records {
  private final TextEncoder encoder;
  private final int vocabulary;

  Records(TextEncoder encoder, int vocabulary) {
    this.encoder = encoder;
    this.vocabulary = vocabulary;
  }

  int[] ids(CalibrationRecord record) {
    return switch (record) {
      case CalibrationRecord.Text text -> {
        if (!Utf8Text.isWellFormed(text.text())) {
          throw new CheckpointException(
              text.where(),
              "expected Unicode text, found half a surrogate pair",
              "Write the text as UTF-8.");
        }
        yield text.text().isBlank() ? new int[0] : ofText(text.where(), text.text());
      }
      case CalibrationRecord.Chat chat ->
          checked(
              chat.where(), encoder.encodeChat(chat.messages(), chat.tools(), chat.where()), true);
      case CalibrationRecord.Ids ids -> checked(ids.where(), unpadded(ids), false);
    };
  }

  private int[] ofText(String where, String text) {
    return checked(where, encoder.encode(text), true);
  }

  private int[] checked(String where, int[] ids, boolean byTokenizer) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] >= vocabulary) {
        throw outside(where, i, ids[i], byTokenizer);
      }
    }
    return ids;
  }

  private CheckpointException outside(String where, int at, long id, boolean byTokenizer) {
    return new CheckpointException(
        where,
        "expected token ids from 0 to "
            + (vocabulary - 1)
            + " (the model has "
            + vocabulary
            + " embeddings), found "
            + id
            + " at position "
            + at
            + (byTokenizer ? " of what the tokenizer makes of it" : ""),
        byTokenizer
            ? "The tokenizer is not this model's, or has tokens that the model lacks: take the one"
                + " from the model's original source."
            : "Make the ids with this model's own tokenizer.");
  }

  private int[] unpadded(CalibrationRecord.Ids record) {
    long[] ids = record.ids();
    int from = 0;
    int to = ids.length;
    if (record.mask() != null) {
      long[] mask = record.mask();
      if (mask.length != ids.length) {
        throw new CheckpointException(
            record.where(),
            "expected as many values in attention_mask as in input_ids, found "
                + mask.length
                + " and "
                + ids.length,
            "Write both from one call of the tokenizer.");
      }
      while (from < to && mask[from] == 0) {
        from++;
      }
      while (to > from && mask[to - 1] == 0) {
        to--;
      }
      for (int i = from; i < to; i++) {
        if (mask[i] != 1) {
          throw new CheckpointException(
              record.where(),
              "expected an attention_mask of ones, with zeros at the ends only, found "
                  + mask[i]
                  + " at position "
                  + i,
              "Leave what is masked out of input_ids.");
        }
      }
    }
    for (int i = from; i < to; i++) {
      if (ids[i] < 0 || ids[i] >= vocabulary) {
        throw outside(record.where(), i, ids[i], false);
      }
    }
    return Arrays.stream(ids, from, to).mapToInt(id -> (int) id).toArray();
  }
}
