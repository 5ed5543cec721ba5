package dev.quern.pipeline.model;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;

/** Numbers of a config.json, with checks of their range. */
final class Settings {
  private static final int LARGEST = 1 << 26;

  private final Json.Obj config;

  Settings(Json.Obj config) {
    this.config = config;
  }

  Json.Obj json() {
    return config;
  }

  /** A size that must be there. */
  int size(String key) {
    return checked(
        key,
        config
            .integer(key)
            .orElseThrow(() -> wrong(key, "a whole number", "nothing under that name")));
  }

  /** A size, or what stands for it when it is absent or null. */
  int size(String key, int otherwise) {
    return config.integer(key).map(value -> checked(key, value)).orElse(otherwise);
  }

  private int checked(String key, long value) {
    if (value < 1 || value > LARGEST) {
      throw wrong(key, "a number from 1 to " + LARGEST, Long.toString(value));
    }
    return (int) value;
  }

  /** A number that is not negative, or what stands for it when it is absent or null. */
  double number(String key, double otherwise) {
    double value = config.number(key).orElse(otherwise);
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw wrong(key, "a finite number, not negative", Double.toString(value));
    }
    return value;
  }

  /** A number above zero, or what stands for it when it is absent or null. */
  double positive(String key, double otherwise) {
    double value = number(key, otherwise);
    if (value == 0) {
      throw wrong(key, "a number above 0", "0");
    }
    return value;
  }

  /** A number above zero that must be there. */
  double positive(String key) {
    if (config.number(key).isEmpty()) {
      throw wrong(key, "a number above 0", "nothing under that name");
    }
    return positive(key, 0);
  }

  boolean is(String key, boolean otherwise) {
    return config.bool(key).orElse(otherwise);
  }

  CheckpointException wrong(String key, String expected, String found) {
    return new CheckpointException(
        config.where(),
        "\"" + key + "\" should be " + expected + ", found " + found,
        "Take config.json from the model's original source.");
  }
}
