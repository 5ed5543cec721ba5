package dev.quern.formats.compressedtensors;

import dev.quern.engine.numeric.DType;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The names under which {@code scale_dtype} and {@code zp_dtype} write a dtype: {@code
 * "torch.int8"}.
 */
final class TorchDType {
  private static final Map<DType, String> NAMES =
      Map.ofEntries(
          Map.entry(DType.U8, "torch.uint8"),
          Map.entry(DType.I8, "torch.int8"),
          Map.entry(DType.I16, "torch.int16"),
          Map.entry(DType.I32, "torch.int32"),
          Map.entry(DType.I64, "torch.int64"),
          Map.entry(DType.F8_E4M3, "torch.float8_e4m3fn"),
          Map.entry(DType.F8_E5M2, "torch.float8_e5m2"),
          Map.entry(DType.F8_E8M0, "torch.float8_e8m0fnu"),
          Map.entry(DType.F16, "torch.float16"),
          Map.entry(DType.BF16, "torch.bfloat16"),
          Map.entry(DType.F32, "torch.float32"),
          Map.entry(DType.F64, "torch.float64"));
  private static final Map<String, DType> DTYPES =
      NAMES.entrySet().stream()
          .collect(Collectors.toUnmodifiableMap(Map.Entry::getValue, Map.Entry::getKey));

  private TorchDType() {}

  static String name(DType dtype) {
    String name = NAMES.get(dtype);
    if (name == null) {
      throw ConfigErrors.invalid(
          "quantization_config",
          "dtype " + dtype + " cannot be the dtype of a scale or zero point",
          "Use one of " + String.join(", ", DTYPES.keySet().stream().sorted().toList()));
    }
    return name;
  }

  /** Accepts the name with or without {@code torch.} before it. */
  static DType parse(String where, String name) {
    DType dtype = DTYPES.get(name.startsWith("torch.") ? name : "torch." + name);
    if (dtype == null) {
      throw ConfigErrors.invalid(
          where,
          "expected a dtype such as \"torch.int8\", found \"" + name + "\"",
          "Use one of " + String.join(", ", DTYPES.keySet().stream().sorted().toList()));
    }
    return dtype;
  }
}
