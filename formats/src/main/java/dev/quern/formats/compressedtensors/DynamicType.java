package dev.quern.formats.compressedtensors;

/**
 * When scales are found: the {@code dynamic} key, which is {@code true}, {@code false} or {@code
 * "local"}.
 */
public enum DynamicType implements ConfigName {
  /** Before the model runs; the scales are stored. */
  FALSE("false"),
  /** While the model runs; nothing is stored. */
  TRUE("true"),
  /** Group scales while the model runs, below a stored global scale ({@code tensor_group} only). */
  LOCAL("local");

  private final String configName;

  DynamicType(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }
}
