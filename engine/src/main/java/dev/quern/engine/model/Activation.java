package dev.quern.engine.model;

/** The nonlinearity of a gate. */
public enum Activation {
  /** {@code x * sigmoid(x)}: SwiGLU, called {@code silu} or {@code swish}. */
  SILU,
  /** GELU approximated with tanh: GeGLU as Gemma has it, called {@code gelu_pytorch_tanh}. */
  GELU_TANH
}
