package dev.quern.formats.compressedtensors;

/** What a tensor of a checkpoint is, as far as its name, dtype and shape tell. */
public enum TensorRole {
  /**
   * Matrix {@code [out, in]} named {@code weight}: the only role that schemes quantize by default.
   */
  LINEAR,
  /** Table {@code [entries, size]} of token, position or type vectors. */
  EMBEDDING,
  /** Scale or offset of a normalisation, usually of one dimension. */
  NORM,
  /** Matrix that chooses experts; engines keep it in full precision. */
  ROUTER,
  /** Anything of a multi-token-prediction module, which loaders treat as a model of its own. */
  MTP,
  /** Weight of three or more dimensions that is not of experts. */
  CONVOLUTION,
  /** GPT-2's transposed matrix {@code [in, out]}. */
  CONV1D,
  /** Weights of all experts of a layer in one tensor. */
  FUSED_EXPERTS,
  /** Vector added to a module's output. */
  BIAS,
  /** Any other parameter or buffer. */
  OTHER
}
