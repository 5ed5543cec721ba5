package dev.quern.formats.layout;

import static dev.quern.formats.layout.LayoutException.require;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.SparseKernels.Element;
import dev.quern.formats.layout.GptqKernels.Named;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * 2:4 sparse weights as kernels for sparse tensor cores read them: the kept values, {@code [N,
 * K/2]}, and {@code weight_meta}, which says where they were. Scales and all else stay.
 *
 * <p>Floats have a third tensor, {@link NegativeZeros}, which no kernel reads.
 *
 * <p>Source: torch 2.13, {@code SparseSemiStructuredTensorCUTLASS}; CUTLASS cf064fa1, examples 15
 * and 62.
 */
final class SemiStructuredKernels extends Named {
  static final List<KernelLayout> ALL =
      List.of(
          new SemiStructuredKernels(
              "sm80-24-i8@1", "Ampere", Codes.INT8, Element.INT8, SparseLayouts.SM80_8),
          new SemiStructuredKernels(
              "sm80-24-16@1", "Ampere", Codes.FLOAT16, Element.FLOAT16, SparseLayouts.SM80_16),
          new SemiStructuredKernels(
              "sm90-24-i8@1", "Hopper", Codes.INT8, Element.INT8, SparseLayouts.SM90_8),
          new SemiStructuredKernels(
              "sm90-24-fp8@1", "Hopper", Codes.E4M3, Element.FLOAT8, SparseLayouts.SM90_8),
          new SemiStructuredKernels(
              "sm90-24-16@1", "Hopper", Codes.FLOAT16, Element.FLOAT16, SparseLayouts.SM90_16));

  private static final String META = "weight_meta";

  private final Codes codes;
  private final Element element;
  private final Layout layout;

  private SemiStructuredKernels(
      String id, String generation, Codes codes, Element element, Layout layout) {
    super(id, "2:4 sparse " + codes + " weights, " + generation);
    this.codes = codes;
    this.element = element;
    this.layout = layout;
  }

  @Override
  public boolean takesPlain() {
    return codes == Codes.FLOAT16;
  }

  @Override
  public List<PackedTensor> plan(QuantizedMatrix module) {
    require(
        module.codes() == codes,
        codes + " weights",
        module.codes() + " of " + module.bits() + " bits");
    boolean ampere = layout == SparseLayouts.SM80_8 || layout == SparseLayouts.SM80_16;
    // torch refuses what its tiles do not divide; on Hopper, only rows of values must be whole
    // 16 bytes, and the metadata is padded.
    if (ampere) {
      Plans.requireMultiple("N", module.n(), layout.tileRows());
      Plans.requireMultiple("K", module.k(), layout.tileColumns() * layout.bits());
    } else {
      Plans.requireMultiple("K", module.k(), 32 / element.bytes());
    }
    PackedShape shape = layout.shape(module.n(), module.k() / layout.bits());
    TensorType dense = Plans.type(module, module.weight());
    TensorType values = TensorType.of(dense.dtype(), module.n(), module.k() / 2);
    List<PackedTensor> tensors = new ArrayList<>();
    tensors.add(
        MadeTensor.of(
                module.weight(),
                values,
                "kept values of 2:4",
                module.weight(),
                (logical, target) -> {
                  try (Arena arena = Arena.ofConfined()) {
                    compress(module, logical, target, nibbles(module, arena));
                  }
                })
            .withWayBack((packed, target) -> decompress(module, shape, packed, target)));
    tensors.add(
        MadeTensor.of(
                META,
                new TensorType(shape.dtype(), shape.dimensions()),
                "first + 4 * second of four",
                module.weight(),
                (logical, target) -> {
                  try (Arena arena = Arena.ofConfined()) {
                    MemorySegment nibbles = nibbles(module, arena);
                    compress(module, logical, arena.allocate(values.bytes(), 64), nibbles);
                    layout.pack(shape, nibbles, SemiStructured.nibbleBytes(module.k()), target);
                  }
                })
            .in(layout, shape));
    if (element != Element.INT8) {
      tensors.add(NegativeZeros.mask(module));
    }
    return tensors;
  }

  @Override
  public void requireData(QuantizedMatrix module, Function<String, MemorySegment> logical) {
    requirePairs(element, logical.apply(module.weight()), module.n(), module.k());
  }

  /** Refuses a matrix that is not 2:4, and says where. */
  static void requirePairs(Element element, MemorySegment dense, long rows, long columns) {
    long rowBytes = columns * element.bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(rowBytes / 2, 64);
      MemorySegment nibbles = arena.allocate(SemiStructured.nibbleBytes(columns), 64);
      for (long row = 0; row < rows; row++) {
        long wrong =
            Kernels.best()
                .sparse()
                .compress24(element, dense, row * rowBytes, columns, values, 0, nibbles, 0);
        require(
            wrong < 0,
            "at most two of each four neighbours that are not zero",
            "more in row " + row + ", columns " + wrong + " to " + (wrong + 3));
      }
    }
  }

  private static MemorySegment nibbles(QuantizedMatrix module, Arena arena) {
    return arena.allocate(module.n() * SemiStructured.nibbleBytes(module.k()), 64);
  }

  private void compress(
      QuantizedMatrix module,
      Function<String, MemorySegment> logical,
      MemorySegment values,
      MemorySegment nibbles) {
    MemorySegment dense = logical.apply(module.weight());
    SemiStructured.compress(element, dense, module.n(), module.k(), values, nibbles);
  }

  private void decompress(
      QuantizedMatrix module,
      PackedShape shape,
      Function<String, MemorySegment> packed,
      MemorySegment dense) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment nibbles = nibbles(module, arena);
      long rowBytes = SemiStructured.nibbleBytes(module.k());
      layout.unpack(shape, packed.apply(META), nibbles, rowBytes);
      MemorySegment values = packed.apply(module.weight());
      try {
        SemiStructured.decompress(element, values, nibbles, module.n(), module.k(), dense);
      } catch (IllegalArgumentException e) {
        throw new LayoutException("metadata of 2:4", e.getMessage());
      }
    }
    if (element != Element.INT8) {
      NegativeZeros.restore(module, packed.apply(NegativeZeros.NAME), dense);
    }
  }
}
