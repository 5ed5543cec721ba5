package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.layout.PackedTensor.Placement;
import dev.quern.formats.layout.QuantizedMatrix.Codes;

/** What plans of several kernels have in common. */
final class Plans {
  static final String SCALE = "weight_scale";
  static final String ZERO_POINT = "weight_zero_point";
  static final String BIAS = "bias";

  private Plans() {}

  /** The weight, one element a code, rows as the checkpoint has them. */
  static LaidTensor weight(String name, QuantizedMatrix module, Layout layout, PackedShape shape) {
    return LaidTensor.ofRows(name, module.weight(), type(module, module.weight()), layout, shape);
  }

  /** Scales {@code [N, G]} of 16 bits, moved. */
  static LaidTensor scales(
      String name, QuantizedMatrix module, Layout layout, long paddedRows, long paddedGroups) {
    TensorType type = type(module, SCALE);
    PackedShape shape = layout.shape(module.n(), module.groups(), paddedRows, paddedGroups);
    return LaidTensor.ofRows(name, SCALE, type, layout, shape);
  }

  /** A bias {@code [N]} of 16 bits, moved. */
  static LaidTensor bias(QuantizedMatrix module, Layout layout, long paddedRows) {
    TensorType type = type(module, BIAS);
    require(type.dtype().bits() == 16, "a bias of 16 bits", type.dtype().toString());
    TensorType column = TensorType.of(type.dtype(), module.n(), 1);
    return LaidTensor.ofRows(
        BIAS, BIAS, column, layout, layout.shape(module.n(), 1, paddedRows, 1));
  }

  /** Zero points, from the checkpoint's own layout into the kernel's. */
  static LaidTensor zeros(
      String name, QuantizedMatrix module, Layout layout, long paddedRows, long paddedGroups) {
    Layout stored = storedZeros(module);
    return LaidTensor.ofStored(
        name,
        ZERO_POINT,
        new Placement(stored, stored.shape(module.n(), module.groups())),
        layout,
        layout.shape(module.n(), module.groups(), paddedRows, paddedGroups));
  }

  /** How the checkpoint holds zero points. */
  static Layout storedZeros(QuantizedMatrix module) {
    return switch (module.bits()) {
      case 2 -> CheckpointLayouts.ZEROS_2;
      case 4 -> CheckpointLayouts.ZEROS_4;
      case 8 -> CheckpointLayouts.ZEROS_8;
      default ->
          throw new LayoutException("zero points of 2, 4 or 8 bits", module.bits() + " bits");
    };
  }

  /** Integers of some widths in packed rows, with a scale for each row or each group of it. */
  static void requireInts(QuantizedMatrix module, int... widths) {
    require(
        module.codes() == Codes.PACKED_INT && contains(widths, module.bits()),
        "pack-quantized integers of " + join(widths) + " bits",
        module.codes() + " of " + module.bits() + " bits");
    requireScalesByRow(module);
  }

  /** FP8 weights with a scale for each 128 x 128 of them. */
  static void requireFp8Blocks(QuantizedMatrix module) {
    // One scale for a whole matrix of 128 x 128 is no block's: it has one dimension.
    require(
        module.codes() == Codes.E4M3
            && module.blockRows() == 128
            && module.blockColumns() == 128
            && type(module, SCALE).shape().size() == 2,
        "FP8 weights with a scale for 128 x 128 weights",
        module.describe());
  }

  /** Codes with an E8M0 scale for each 32 of a row. */
  static void requireMicroscaling(QuantizedMatrix module, Codes codes) {
    require(
        module.codes() == codes && module.scalesByRow() && module.blockColumns() == 32,
        codes + " codes with a scale for 32",
        module.codes() + " codes with a scale for " + module.blockColumns());
    int scaleBits = type(module, SCALE).dtype().bits();
    require(scaleBits == 8, "E8M0 scales, a byte each", scaleBits + " bits");
  }

  /** Scales as floats. */
  static FloatType floatType(DType dtype) {
    return FloatType.of(dtype)
        .orElseThrow(() -> new LayoutException("float scales", dtype.toString()));
  }

  static void requireScalesByRow(QuantizedMatrix module) {
    require(
        module.scalesByRow() && module.k() % module.blockColumns() == 0,
        "scales by channel or group",
        "a scale for " + module.blockRows() + " x " + module.blockColumns() + " weights");
    DType scale = type(module, SCALE).dtype();
    require(scale == DType.F16 || scale == DType.BF16, "scales in F16 or BF16", scale.toString());
  }

  static void requireMultiple(String what, long value, long of) {
    require(value % of == 0, what + " to be a multiple of " + of, Long.toString(value));
  }

  static void requireSymmetric(QuantizedMatrix module) {
    require(!module.hasZeroPoint(), "symmetric codes", "zero points");
  }

  static void requireNoActOrder(QuantizedMatrix module) {
    require(!module.hasGroupIndex(), "inputs in the order of their groups", "weight_g_idx");
  }

  static TensorType type(QuantizedMatrix module, String name) {
    return module
        .tensor(name)
        .orElseThrow(() -> new LayoutException("a tensor " + name, "none in the module"));
  }

  private static boolean contains(int[] values, int value) {
    for (int each : values) {
      if (each == value) {
        return true;
      }
    }
    return false;
  }

  private static String join(int[] values) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < values.length; i++) {
      text.append(i == 0 ? "" : i == values.length - 1 ? " or " : ", ").append(values[i]);
    }
    return text.toString();
  }
}
