package dev.quern.formats.calibration;

import dev.quern.formats.json.Json;

/** One entry of a calibration file. */
sealed interface CalibrationRecord {
  /** File and line, row or paragraph. */
  String where();

  /** A text. */
  record Text(String where, String text) implements CalibrationRecord {}

  /** A conversation; {@code tools} may be null. */
  record Chat(String where, Json messages, Json tools) implements CalibrationRecord {}

  /** Ids; {@code mask}, of the same length, is 0 at padding, or null where there is none. */
  record Ids(String where, long[] ids, long[] mask) implements CalibrationRecord {}
}
