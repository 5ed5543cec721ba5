package dev.quern.formats.layout;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Function;

/**
 * A tensor that is computed: a constant, or made of logical tensors by more than moving bits. The
 * logical ones stay beside it, unless it has a way back.
 */
final class MadeTensor implements PackedTensor {
  /** Writes the tensor from the logical ones, or the other way. */
  interface Maker {
    void make(Function<String, MemorySegment> tensors, MemorySegment target);
  }

  private final String name;
  private final TensorType type;
  private final String conversion;
  private final Optional<String> source;
  private final Optional<Placement> placement;
  private final Maker maker;
  private final Optional<Maker> back;

  private MadeTensor(
      String name,
      TensorType type,
      String conversion,
      Optional<String> source,
      Optional<Placement> placement,
      Maker maker,
      Optional<Maker> back) {
    this.name = name;
    this.type = type;
    this.conversion = conversion;
    this.source = source;
    this.placement = placement;
    this.maker = maker;
    this.back = back;
  }

  /** A tensor that depends on names and shapes alone. */
  static MadeTensor constant(String name, TensorType type, String what, Maker maker) {
    return new MadeTensor(
        name, type, what, Optional.empty(), Optional.empty(), maker, Optional.empty());
  }

  /** A tensor made of {@code source}, which stays beside it. */
  static MadeTensor of(String name, TensorType type, String what, String source, Maker maker) {
    return new MadeTensor(
        name, type, what, Optional.of(source), Optional.empty(), maker, Optional.empty());
  }

  /** The same, with the layout that the numbers are put in. */
  MadeTensor in(Layout layout, PackedShape shape) {
    return new MadeTensor(
        name, type, conversion, source, Optional.of(new Placement(layout, shape)), maker, back);
  }

  /** The same, with a way to get the source back from the packed tensors. */
  MadeTensor withWayBack(Maker back) {
    return new MadeTensor(name, type, conversion, source, placement, maker, Optional.of(back));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public TensorType type() {
    return type;
  }

  @Override
  public Optional<Placement> placement() {
    return placement;
  }

  @Override
  public Optional<String> conversion() {
    return Optional.of(conversion);
  }

  @Override
  public Optional<String> source() {
    return source;
  }

  @Override
  public boolean restores() {
    return back.isPresent();
  }

  @Override
  public void pack(Function<String, MemorySegment> logical, MemorySegment target) {
    maker.make(logical, target);
  }

  @Override
  public void unpack(Function<String, MemorySegment> packed, MemorySegment target) {
    back.orElseThrow(UnsupportedOperationException::new).make(packed, target);
  }
}
