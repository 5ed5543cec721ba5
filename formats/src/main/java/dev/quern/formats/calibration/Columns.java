package dev.quern.formats.calibration;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;

/** The columns that calibration data may have, and which of them is used. */
final class Columns {
  static final String IDS = "input_ids";
  static final String MASK = "attention_mask";
  static final String MESSAGES = "messages";
  static final String TOOLS = "tools";
  static final String TEXT = "text";

  /** Those that hold data, the one that wins first. */
  static final List<String> OF_DATA = List.of(IDS, MESSAGES, TEXT);

  private static final int MOST_SHOWN = 10;

  private Columns() {}

  static CheckpointException none(String where, Collection<String> found) {
    List<String> shown = found.stream().limit(MOST_SHOWN).toList();
    return new CheckpointException(
        where,
        "expected "
            + String.join(", ", OF_DATA.subList(0, 2))
            + " or "
            + TEXT
            + ", found "
            + (found.isEmpty() ? "nothing" : String.join(", ", shown))
            + (found.size() > MOST_SHOWN ? ", ..." : ""),
        "Rename what holds the data: text for text, messages for conversations (objects with role"
            + " and content), input_ids for token ids.");
  }

  /** The record that an object stands for. */
  static CalibrationRecord record(String where, Json.Obj row) {
    Json ids = present(row, IDS);
    if (ids != null) {
      Json mask = present(row, MASK);
      return new CalibrationRecord.Ids(
          where, numbers(where, IDS, ids), mask == null ? null : numbers(where, MASK, mask));
    }
    Json messages = present(row, MESSAGES);
    if (messages != null) {
      return new CalibrationRecord.Chat(where, messages(where, messages), present(row, TOOLS));
    }
    Json text = present(row, TEXT);
    if (text instanceof Json.Str string) {
      return new CalibrationRecord.Text(where, string.value());
    }
    if (row.has(TEXT)) {
      throw wrong(where, TEXT, "a string", row.find(TEXT).map(Json::kind).orElseThrow());
    }
    throw none(where, row.members().keySet());
  }

  private static Json present(Json.Obj row, String name) {
    return row.find(name).filter(value -> value != Json.Null.NULL).orElse(null);
  }

  private static Json messages(String where, Json messages) {
    if (!(messages instanceof Json.Arr list)) {
      throw wrong(where, MESSAGES, "a list of objects with role and content", messages.kind());
    }
    if (list.items().isEmpty()) {
      throw wrong(where, MESSAGES, "at least one message", "an empty list");
    }
    for (int i = 0; i < list.items().size(); i++) {
      String name = MESSAGES + "[" + i + "]";
      if (!(list.items().get(i) instanceof Json.Obj message)) {
        throw wrong(where, name, "an object with role", list.items().get(i).kind());
      }
      Json role = message.find("role").orElse(null);
      if (!(role instanceof Json.Str)) {
        throw wrong(
            where,
            name,
            "a role that is a string",
            role == null ? String.join(", ", message.members().keySet()) : role.kind());
      }
    }
    return list;
  }

  private static long[] numbers(String where, String name, Json value) {
    if (!(value instanceof Json.Arr list)) {
      throw wrong(where, name, "a list of whole numbers", value.kind());
    }
    long[] numbers = new long[list.items().size()];
    for (int i = 0; i < numbers.length; i++) {
      Json item = list.items().get(i);
      OptionalLong number =
          item instanceof Json.Num literal ? literal.asLong() : OptionalLong.empty();
      if (number.isEmpty()) {
        throw wrong(
            where,
            name + "[" + i + "]",
            "a whole number",
            item instanceof Json.Num literal ? literal.literal() : item.kind());
      }
      numbers[i] = number.getAsLong();
    }
    return numbers;
  }

  static CheckpointException wrong(String where, String name, String expected, String found) {
    return new CheckpointException(
        where,
        name + ": expected " + expected + ", found " + found,
        "Correct the record, or take it out.");
  }
}
