package dev.quern.engine.numeric;

import java.util.Optional;

/**
 * Element types of tensors, under the names that safetensors uses in its headers.
 *
 * <p>Sub-byte types are dense: a tensor of {@code n} elements takes {@code n * bits / 8} bytes, and
 * that product must be a whole number of bytes.
 *
 * <p>Source: the {@code Dtype} list of the safetensors format, version 0.8.
 */
public enum DType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /** The type whose safetensors name is {@code name}, or empty when there is none. */
  public static Optional<DType> named(String name) {
    for (DType dtype : values()) {
      if (dtype.name().equals(name)) {
        return Optional.of(dtype);
      }
    }
    return Optional.empty();
  }
}
