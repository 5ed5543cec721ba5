package dev.quern.engine.numeric;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The floating-point types that weights come in, and the rounding that goes with them.
 *
 * <p>The reference computes every elementwise operation on half-precision tensors in binary32 and
 * rounds the result to the tensor's type after each single operation; {@link #round} is that step.
 * Source: the arithmetic model of PyTorch, rules A1 and A2.
 */
public enum FloatType {
  BF16(DType.BF16, 2, 0x7F80, 0x1p-7f) {
    @Override
    public float decode(int bits) {
      return Bf16.decode((short) bits);
    }

    @Override
    public int encode(float value) {
      return Bf16.encode(value) & 0xFFFF;
    }
  },
  F16(DType.F16, 2, 0x7C00, 0x1p-10f) {
    @Override
    public float decode(int bits) {
      return Fp16.decode((short) bits);
    }

    @Override
    public int encode(float value) {
      return Fp16.encode(value) & 0xFFFF;
    }
  },
  F32(DType.F32, 4, 0x7F80_0000, 0x1p-23f) {
    @Override
    public float decode(int bits) {
      return Float.intBitsToFloat(bits);
    }

    @Override
    public int encode(float value) {
      return Float.floatToRawIntBits(value);
    }
  };

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DType dtype;
  private final int bytes;
  private final int infinityBits;
  private final float epsilon;

  FloatType(DType dtype, int bytes, int infinityBits, float epsilon) {
    this.dtype = dtype;
    this.bytes = bytes;
    this.infinityBits = infinityBits;
    this.epsilon = epsilon;
  }

  /** The type that weights of {@code dtype} are computed in, or empty when no kernel reads it. */
  public static Optional<FloatType> of(DType dtype) {
    for (FloatType type : values()) {
      if (type.dtype == dtype) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /** The value of a bit pattern, whose upper bits are ignored. */
  public abstract float decode(int bits);

  /** The bit pattern nearest to {@code value}, ties to even, zero-extended to an int. */
  public abstract int encode(float value);

  /** Rounds to this type and back. */
  public final float round(float value) {
    return decode(encode(value));
  }

  /** The tensor element type of the same values. */
  public DType dtype() {
    return dtype;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** The bit pattern of positive infinity; sign-less patterns above it are NaN. */
  public int infinityBits() {
    return infinityBits;
  }

  /** All bits but the sign: {@code bits & signlessMask()} orders like the magnitude. */
  public int signlessMask() {
    return bytes == 2 ? 0x7FFF : 0x7FFF_FFFF;
  }

  /** The gap between 1 and the next value; the scale that replaces an exact zero. */
  public float epsilon() {
    return epsilon;
  }

  /** Reads the bits of one element at a byte offset, zero-extended. */
  public int loadBits(MemorySegment segment, long offset) {
    return bytes == 2 ? segment.get(SHORT, offset) & 0xFFFF : segment.get(INT, offset);
  }

  /** Reads one element at a byte offset. */
  public float load(MemorySegment segment, long offset) {
    return decode(loadBits(segment, offset));
  }

  /** Rounds and writes one element at a byte offset. */
  public void store(MemorySegment segment, long offset, float value) {
    int bits = encode(value);
    if (bytes == 2) {
      segment.set(SHORT, offset, (short) bits);
    } else {
      segment.set(INT, offset, bits);
    }
  }
}
