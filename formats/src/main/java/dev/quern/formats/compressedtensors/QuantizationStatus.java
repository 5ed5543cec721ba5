package dev.quern.formats.compressedtensors;

/** How far a model has come, in this order; a finished checkpoint is {@link #COMPRESSED}. */
public enum QuantizationStatus implements ConfigName {
  INITIALIZED("initialized"),
  CALIBRATION("calibration"),
  /** Scales are fixed, weights are still stored in the model's dtype. */
  FROZEN("frozen"),
  COMPRESSED("compressed");

  private final String configName;

  QuantizationStatus(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }
}
