package dev.quern.formats.compressedtensors;

/**
 * Order in which GPTQ visits columns: {@code actorder}.
 *
 * <p>Two of the four words are aliases. The word that was given is the word that is written;
 * compare {@link #canonical()}.
 */
public enum ActivationOrdering implements ConfigName {
  /**
   * Groups are formed of columns of like importance; needs {@code weight_g_idx} beside the weight.
   */
  GROUP("group"),
  /** Columns are visited by importance, groups stay where they are. */
  WEIGHT("weight"),
  /** Another word for {@link #WEIGHT}, and the one that GPTQ writes by default. */
  STATIC("static"),
  /** Another word for {@link #GROUP}. */
  DYNAMIC("dynamic");

  private final String configName;

  ActivationOrdering(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  /** {@link #GROUP} or {@link #WEIGHT}. */
  public ActivationOrdering canonical() {
    return switch (this) {
      case GROUP, DYNAMIC -> GROUP;
      case WEIGHT, STATIC -> WEIGHT;
    };
  }
}
