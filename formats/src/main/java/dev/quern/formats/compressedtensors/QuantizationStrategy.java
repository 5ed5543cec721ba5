package dev.quern.formats.compressedtensors;

/** Which elements share one scale. The weight shape is {@code [rows, columns]}. */
public enum QuantizationStrategy implements ConfigName {
  /** One scale for the whole tensor, shape {@code [1]}. */
  TENSOR("tensor"),
  /** One scale for each output row, shape {@code [rows, 1]}. */
  CHANNEL("channel"),
  /**
   * One scale for {@code group_size} consecutive columns, shape {@code [rows, columns / group]}.
   */
  GROUP("group"),
  /** One scale for each tile, shape {@code [ceil(rows / bh), ceil(columns / bw)]}. */
  BLOCK("block"),
  /** One scale for each token, found while the model runs; activations only. */
  TOKEN("token"),
  /** As {@link #GROUP}, below one f32 global scale for the tensor. */
  TENSOR_GROUP("tensor_group"),
  /** One scale for each attention head; attention and KV cache only. */
  ATTN_HEAD("attn_head");

  private final String configName;

  QuantizationStrategy(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  /** Whether {@code group_size} says how many columns share a scale. */
  public boolean isGrouped() {
    return this == GROUP || this == TENSOR_GROUP;
  }
}
