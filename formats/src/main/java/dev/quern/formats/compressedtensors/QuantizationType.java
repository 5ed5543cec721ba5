package dev.quern.formats.compressedtensors;

/** Kind of number that a tensor is quantized to: {@code "int"} or {@code "float"} on disk. */
public enum QuantizationType implements ConfigName {
  INT("int"),
  FLOAT("float");

  private final String configName;

  QuantizationType(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }
}
