package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.function.Function;

/** A layout of two lines: its formula, and the same by digits. */
final class FormulaLayout extends StridedLayout {
  /** Where an element goes, counted in elements. */
  @FunctionalInterface
  interface Formula {
    long position(PackedShape shape, long row, long column);
  }

  /** Dimensions of the tensor for padded rows and columns. */
  @FunctionalInterface
  interface Dimensions {
    long[] of(long paddedRows, long paddedColumns);
  }

  /** How a layout's tensor is declared. */
  record Tensor(DType dtype, Dimensions dimensions) {}

  private final Tensor tensor;
  private final Formula formula;
  private final Function<PackedShape, IndexStrides> strides;

  FormulaLayout(
      String id,
      int bits,
      int tileRows,
      int tileColumns,
      Tensor tensor,
      Formula formula,
      Function<PackedShape, IndexStrides> strides) {
    super(id, bits, tileRows, tileColumns);
    this.tensor = tensor;
    this.formula = formula;
    this.strides = strides;
  }

  @Override
  public PackedShape shape(long rows, long columns, long paddedRows, long paddedColumns) {
    long[] dimensions = tensor.dimensions.of(paddedRows, paddedColumns);
    return PackedShape.of(this, rows, columns, paddedRows, paddedColumns, tensor.dtype, dimensions);
  }

  @Override
  protected long element(PackedShape shape, long row, long column) {
    return formula.position(shape, row, column);
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    return strides.apply(shape);
  }

  /** Strides of digits, lowest first. */
  static long[] digits(long... strides) {
    return strides;
  }
}
