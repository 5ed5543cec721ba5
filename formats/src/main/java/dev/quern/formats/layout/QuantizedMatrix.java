package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One module of a checkpoint with its weight, without its data: what a kernel's layout must know.
 *
 * <p>Parameters have their names in compressed-tensors: {@code weight_packed} or {@code weight},
 * {@code weight_scale}, {@code weight_zero_point}, {@code weight_g_idx}, {@code
 * weight_global_scale}, {@code bias}.
 *
 * @param codes what an element of the weight is
 * @param bits of a code
 * @param n outputs, rows of the weight
 * @param k inputs, columns of the weight
 * @param blockRows rows that share a scale: 1, 128 for blocks, {@code n} for one scale
 * @param blockColumns columns that share a scale: the group size, or {@code k}
 * @param dtype type of the model's activations: BF16, F16 or F32
 * @param tensors all parameters of the module
 */
public record QuantizedMatrix(
    Codes codes,
    int bits,
    long n,
    long k,
    long blockRows,
    long blockColumns,
    DType dtype,
    Map<String, TensorType> tensors) {
  /** What an element of a weight is. */
  public enum Codes {
    /** Integers with a bias of {@code 2^(bits-1)}, dense in rows of 32-bit words. */
    PACKED_INT,
    /** Signed bytes. */
    INT8,
    /** FP8 bytes. */
    E4M3,
    /** FP4, two in a byte. */
    E2M1,
    /** Floats of 16 bits: a weight that is not quantized, and has no scale. */
    FLOAT16
  }

  /** Sorts the parameters. */
  public QuantizedMatrix {
    tensors = new TreeMap<>(tensors);
  }

  /** Name of the parameter that holds the codes. */
  public String weight() {
    return codes == Codes.PACKED_INT || codes == Codes.E2M1 ? "weight_packed" : "weight";
  }

  /** Scales along a row. */
  public long groups() {
    return Math.ceilDiv(k, blockColumns);
  }

  /** Whether there is a scale for each output, or for each group of it. */
  boolean scalesByRow() {
    return blockRows == 1;
  }

  /** Whether one scale serves the whole matrix. */
  boolean hasOneScale() {
    return blockRows == n && blockColumns == k;
  }

  /** Its codes and scales, for messages. */
  String describe() {
    return codes == Codes.FLOAT16
        ? "weights that are not quantized"
        : codes
            + " of "
            + bits
            + " bits with a scale for "
            + blockRows
            + " x "
            + blockColumns
            + " weights";
  }

  /** The parameter of that name. */
  public Optional<TensorType> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /** Whether codes have zero points other than their bias. */
  public boolean hasZeroPoint() {
    return tensors.containsKey("weight_zero_point");
  }

  /** Whether inputs belong to groups in another order than their own. */
  public boolean hasGroupIndex() {
    return tensors.containsKey("weight_g_idx");
  }
}
