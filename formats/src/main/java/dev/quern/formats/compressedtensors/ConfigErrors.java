package dev.quern.formats.compressedtensors;

import dev.quern.formats.CheckpointException;

/** The one place that builds this package's refusals, so that they all read alike. */
final class ConfigErrors {
  private ConfigErrors() {}

  static CheckpointException invalid(String where, String problem, String remedy) {
    return new CheckpointException(where, problem, remedy.endsWith(".") ? remedy : remedy + ".");
  }
}
