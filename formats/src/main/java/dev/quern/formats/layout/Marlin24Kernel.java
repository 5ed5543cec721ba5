package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.kernel.SparseKernels.Element;
import dev.quern.engine.numeric.DType;
import dev.quern.formats.layout.GptqKernels.Named;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Function;

/**
 * Sparse-Marlin: integers of 4 or 8 bits, of which two of each four neighbours are kept. A code of
 * zero is the bias, {@code 2^(bits-1)}.
 *
 * <pre>
 *   weight_packed  int32 [K/32, 2N] or [K/32, 4N]     kept codes
 *   scale_packed   f16   [G, N]
 *   meta           int16 [K/32, 2N]                   which were kept
 * </pre>
 *
 * <p>Source: compressed-tensors before March 2026, the {@code marlin-24} compressor; vLLM before
 * January 2026, {@code gptq_marlin_24.py}, for what the kernel took.
 */
final class Marlin24Kernel extends Named {
  static final List<KernelLayout> ALL =
      List.of(
          new Marlin24Kernel(4, Marlin24Layouts.WEIGHT_4),
          new Marlin24Kernel(8, Marlin24Layouts.WEIGHT_8));

  private static final String META = "meta";
  private static final String SCALES = "scale_packed";
  private static final int THREAD_TILE = 128;
  private static final Layout META_LAYOUT = SparseLayouts.SM80_16;

  private final int bits;
  private final Layout layout;

  private Marlin24Kernel(int bits, Layout layout) {
    super("marlin24-i" + bits + "@1", "Sparse-Marlin, 2:4 sparse " + bits + "-bit integers");
    this.bits = bits;
    this.layout = layout;
  }

  @Override
  public List<PackedTensor> plan(QuantizedMatrix module) {
    Plans.requireInts(module, bits);
    Plans.requireSymmetric(module);
    Plans.requireNoActOrder(module);
    boolean byChannel = module.groups() == 1;
    require(
        byChannel || module.blockColumns() == 128,
        "groups of 128, or scales by channel",
        "groups of " + module.blockColumns());
    DType scale = Plans.type(module, Plans.SCALE).dtype();
    require(scale == DType.F16, "scales in F16", scale.toString());
    Plans.requireMultiple("N", module.n(), THREAD_TILE);
    Plans.requireMultiple("K", module.k(), THREAD_TILE);
    PackedShape shape = layout.shape(module.n(), module.k() / 2);
    PackedShape meta = META_LAYOUT.shape(module.n(), module.k() / 16);
    Layout scales = byChannel ? GptqLayouts.SCALES : Marlin24Layouts.SCALE;
    return List.of(
        MadeTensor.of(
                module.weight(),
                new TensorType(shape.dtype(), shape.dimensions()),
                "kept codes of 2:4",
                module.weight(),
                (logical, target) -> packWeight(module, shape, logical, target))
            .in(layout, shape)
            .withWayBack((packed, target) -> unpackWeight(module, shape, meta, packed, target)),
        Plans.scales(SCALES, module, scales, module.n(), module.groups()),
        MadeTensor.of(
                META,
                TensorType.of(DType.I16, module.k() / 32, 2 * module.n()),
                "first + 4 * second of four",
                module.weight(),
                (logical, target) -> packMeta(module, meta, logical, target))
            .in(META_LAYOUT, meta));
  }

  @Override
  public void requireData(QuantizedMatrix module, Function<String, MemorySegment> logical) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dense = signed(module, logical.apply(module.weight()), arena);
      SemiStructuredKernels.requirePairs(Element.INT8, dense, module.n(), module.k());
    }
  }

  private void packWeight(
      QuantizedMatrix module,
      PackedShape shape,
      Function<String, MemorySegment> logical,
      MemorySegment target) {
    long kept = module.k() / 2;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(module.n() * kept, 64);
      MemorySegment nibbles = nibbles(module, arena);
      MemorySegment dense = signed(module, logical.apply(module.weight()), arena);
      SemiStructured.compress(Element.INT8, dense, module.n(), module.k(), values, nibbles);
      MemorySegment codes = arena.allocate(module.n() * kept * bits / Byte.SIZE, 64);
      toCodes(values, codes);
      layout.pack(shape, codes, kept * bits / Byte.SIZE, target);
    }
  }

  private void packMeta(
      QuantizedMatrix module,
      PackedShape meta,
      Function<String, MemorySegment> logical,
      MemorySegment target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(module.n() * module.k() / 2, 64);
      MemorySegment nibbles = nibbles(module, arena);
      MemorySegment dense = signed(module, logical.apply(module.weight()), arena);
      SemiStructured.compress(Element.INT8, dense, module.n(), module.k(), values, nibbles);
      META_LAYOUT.pack(meta, nibbles, SemiStructured.nibbleBytes(module.k()), target);
    }
  }

  private void unpackWeight(
      QuantizedMatrix module,
      PackedShape shape,
      PackedShape meta,
      Function<String, MemorySegment> packed,
      MemorySegment target) {
    long kept = module.k() / 2;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment nibbles = nibbles(module, arena);
      META_LAYOUT.unpack(meta, packed.apply(META), nibbles, SemiStructured.nibbleBytes(module.k()));
      MemorySegment codes = arena.allocate(module.n() * kept * bits / Byte.SIZE, 64);
      layout.unpack(shape, packed.apply(module.weight()), codes, kept * bits / Byte.SIZE);
      MemorySegment values = arena.allocate(module.n() * kept, 64);
      toSigned(codes, values);
      MemorySegment dense = arena.allocate(module.n() * module.k(), 64);
      try {
        SemiStructured.decompress(Element.INT8, values, nibbles, module.n(), module.k(), dense);
      } catch (IllegalArgumentException e) {
        throw new LayoutException("metadata of 2:4", e.getMessage());
      }
      toCodes(dense, target);
    }
  }

  private static MemorySegment nibbles(QuantizedMatrix module, Arena arena) {
    return arena.allocate(module.n() * SemiStructured.nibbleBytes(module.k()), 64);
  }

  private MemorySegment signed(QuantizedMatrix module, MemorySegment codes, Arena arena) {
    MemorySegment signed = arena.allocate(module.n() * module.k(), 64);
    toSigned(codes, signed);
    return signed;
  }

  /** Codes without their bias, one a byte. K is a multiple of 128, so rows have no gaps. */
  private void toSigned(MemorySegment codes, MemorySegment signed) {
    for (long at = 0; at < codes.byteSize(); at++) {
      int octet = codes.get(ValueLayout.JAVA_BYTE, at);
      if (bits == 8) {
        signed.set(ValueLayout.JAVA_BYTE, at, (byte) (octet ^ 0x80));
      } else {
        signed.set(ValueLayout.JAVA_BYTE, 2 * at, (byte) ((octet & 0xF) - 8));
        signed.set(ValueLayout.JAVA_BYTE, 2 * at + 1, (byte) ((octet >> 4 & 0xF) - 8));
      }
    }
  }

  private void toCodes(MemorySegment signed, MemorySegment codes) {
    for (long at = 0; at < codes.byteSize(); at++) {
      int code =
          bits == 8
              ? signed.get(ValueLayout.JAVA_BYTE, at) ^ 0x80
              : signed.get(ValueLayout.JAVA_BYTE, 2 * at) + 8
                  | signed.get(ValueLayout.JAVA_BYTE, 2 * at + 1) + 8 << 4;
      codes.set(ValueLayout.JAVA_BYTE, at, (byte) code);
    }
  }
}
