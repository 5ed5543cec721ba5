package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * Layouts of AutoGPTQ and of what grew from it: AWQ, ExLlama v2, the Triton kernel of vLLM.
 *
 * <p>Source: AutoGPTQ 9f7d3707, GPTQModel f4c327a1, AutoAWQ 88e4c76b, exllamav2 b9c025b4; vLLM
 * 017e9f44 for Triton.
 */
public final class GptqLayouts {
  /** {@code qweight} with 2 bits. */
  public static final Layout WEIGHT_2 = new GptqWeight("gptq-weight-b2@1", 2);

  /** {@code qweight} with 3 bits. */
  public static final Layout WEIGHT_3 = new GptqWeight("gptq-weight-b3@1", 3);

  /** {@code qweight} with 4 bits. */
  public static final Layout WEIGHT_4 = new GptqWeight("gptq-weight-b4@1", 4);

  /** {@code qweight} with 8 bits. */
  public static final Layout WEIGHT_8 = new GptqWeight("gptq-weight-b8@1", 8);

  /** Scales and other 16-bit elements, a row for each group. */
  public static final Layout SCALES = new Transposed("transposed-16@1", 16, DType.I16, c -> c);

  /** {@code qzeros} of "gptq_v2": the zero point itself, fields along the outputs. */
  public static final Layout ZEROS_V2_4 = zeros("gptq-v2-zeros-b4@1", 4);

  /** The same with 2 bits. */
  public static final Layout ZEROS_V2_2 = zeros("gptq-v2-zeros-b2@1", 2);

  /** The same with 8 bits. */
  public static final Layout ZEROS_V2_8 = zeros("gptq-v2-zeros-b8@1", 8);

  /**
   * {@code qzeros} of "gptq", 4 bits: the zero point less one. Zero itself is stored as 15, which
   * readers that add one without a mask take for 16.
   */
  public static final Layout ZEROS_V1_4 = lessOne("gptq-v1-zeros-b4@1", 4);

  /** The same with 2 bits. */
  public static final Layout ZEROS_V1_2 = lessOne("gptq-v1-zeros-b2@1", 2);

  /** The same with 8 bits. */
  public static final Layout ZEROS_V1_8 = lessOne("gptq-v1-zeros-b8@1", 8);

  /**
   * {@code qweight} and {@code qzeros} of AWQ's GEMM kernel: output {@code c} of eight is nibble
   * {@code c/2 + 4 * (c%2)}.
   */
  public static final Layout AWQ =
      new Transposed("awq-gemm@1", 4, DType.I32, c -> c / 2 + 4 * (c % 2), 4, 1, 2);

  /** {@code qweight} and {@code qzeros} of the Triton kernel for 4 bits: nibbles in order. */
  public static final Layout TRITON =
      new Transposed("triton-w4a16@1", 4, DType.I32, c -> c, 1, 2, 4);

  /** ExLlama v2, 2 bits: element {@code e} of 16 inputs is field {@code e/2 + 8 * (e%2)}. */
  public static final Layout EXLLAMA_2 = new ExllamaWeight("exllama2-i2@1", 2);

  /** ExLlama v2, 4 bits: element {@code e} of 8 inputs is nibble {@code e/2 + 4 * (e%2)}. */
  public static final Layout EXLLAMA_4 = new ExllamaWeight("exllama2-i4@1", 4);

  static final List<Layout> ALL =
      List.of(
          WEIGHT_2,
          WEIGHT_3,
          WEIGHT_4,
          WEIGHT_8,
          SCALES,
          ZEROS_V2_2,
          ZEROS_V2_4,
          ZEROS_V2_8,
          ZEROS_V1_2,
          ZEROS_V1_4,
          ZEROS_V1_8,
          AWQ,
          TRITON,
          EXLLAMA_2,
          EXLLAMA_4);

  private GptqLayouts() {}

  private static Transposed zeros(String id, int bits) {
    long[] digits = new long[Integer.numberOfTrailingZeros(Integer.SIZE / bits)];
    for (int i = 0; i < digits.length; i++) {
      digits[i] = 1L << i;
    }
    return new Transposed(id, bits, DType.I32, c -> c, digits);
  }

  private static Layout lessOne(String id, int bits) {
    int mask = (1 << bits) - 1;
    return zeros(id, bits).withCodes(id, z -> z - 1 & mask, stored -> stored + 1 & mask);
  }
}
