package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.function.IntUnaryOperator;
import java.util.function.LongUnaryOperator;

/**
 * Columns become rows, and within each run of {@code block} of the former rows the elements are
 * permuted: what kernels do with scales and zero points, and some with weights.
 *
 * <pre>
 *   [columns, rows']     element c * rows' + r - r % block + place(r % block)
 * </pre>
 */
final class Transposed extends StridedLayout {
  private final DType dtype;
  private final int perWord;
  private final IntUnaryOperator place;
  private final long[] digits;
  private final LongUnaryOperator encode;
  private final LongUnaryOperator decode;

  /**
   * @param dtype of the tensor; its elements hold as many elements of the matrix as fit
   * @param place the permutation of a block
   * @param digits the same: where each binary digit of the place in the block goes, lowest first
   */
  Transposed(String id, int bits, DType dtype, IntUnaryOperator place, long... digits) {
    super(id, bits, 1 << digits.length, 1);
    this.dtype = dtype;
    this.perWord = dtype.bits() / bits;
    this.place = place;
    this.digits = digits;
    this.encode = LongUnaryOperator.identity();
    this.decode = LongUnaryOperator.identity();
  }

  private Transposed(Transposed plain, String id, LongUnaryOperator enc, LongUnaryOperator dec) {
    super(id, plain.bits(), plain.tileRows(), 1, true);
    this.dtype = plain.dtype;
    this.perWord = plain.perWord;
    this.place = plain.place;
    this.digits = plain.digits;
    this.encode = enc;
    this.decode = dec;
  }

  /** The same places with codes of their own. */
  Transposed withCodes(String id, LongUnaryOperator encode, LongUnaryOperator decode) {
    return new Transposed(this, id, encode, decode);
  }

  @Override
  public PackedShape shape(long rows, long columns, long paddedRows, long paddedColumns) {
    return PackedShape.of(
        this, rows, columns, paddedRows, paddedColumns, dtype, paddedColumns, paddedRows / perWord);
  }

  @Override
  protected long element(PackedShape shape, long row, long column) {
    int inBlock = (int) (row % tileRows());
    return column * shape.paddedRows() + row - inBlock + place.applyAsInt(inBlock);
  }

  @Override
  public IndexStrides strides(PackedShape shape) {
    return new IndexStrides(digits, tileRows(), new long[0], shape.paddedRows());
  }

  @Override
  public long encode(long code) {
    return encode.applyAsLong(code);
  }

  @Override
  public long decode(long stored) {
    return decode.applyAsLong(stored);
  }
}
