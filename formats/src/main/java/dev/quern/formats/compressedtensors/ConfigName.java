package dev.quern.formats.compressedtensors;

/** A constant that {@code quantization_config} writes as a string of its own. */
public interface ConfigName {
  /** The string in config.json. */
  String configName();
}
