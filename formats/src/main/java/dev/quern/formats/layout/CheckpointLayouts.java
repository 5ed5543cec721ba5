package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.numeric.DType;
import java.util.List;

/**
 * How checkpoints of compressed-tensors hold what is no plain row: zero points, packed along the
 * outputs.
 *
 * <p>Source: compressed-tensors 0.18, {@code pack_to_int32} with {@code packed_dim} 0.
 */
public final class CheckpointLayouts {
  /** {@code weight_zero_point} with 4 bits, int32 {@code [ceil(N/8), G]}. */
  public static final Layout ZEROS_4 = new Zeros("ct-zeros-b4@1", 4);

  /** The same with 2 bits. */
  public static final Layout ZEROS_2 = new Zeros("ct-zeros-b2@1", 2);

  /** The same with 8 bits. */
  public static final Layout ZEROS_8 = new Zeros("ct-zeros-b8@1", 8);

  static final List<Layout> ALL = List.of(ZEROS_2, ZEROS_4, ZEROS_8);

  private CheckpointLayouts() {}

  /** Word {@code (n / (32/b), j)}, field {@code n % (32/b)}. */
  private static final class Zeros extends StridedLayout {
    Zeros(String id, int bits) {
      super(id, bits, Integer.SIZE / bits, 1);
    }

    @Override
    public PackedShape shape(long rows, long columns, long n, long groups) {
      return PackedShape.of(this, rows, columns, n, groups, DType.I32, n / tileRows(), groups);
    }

    @Override
    protected long element(PackedShape shape, long n, long j) {
      long fields = tileRows();
      return (n / fields * shape.paddedColumns() + j) * fields + n % fields;
    }

    @Override
    public IndexStrides strides(PackedShape shape) {
      int fields = tileRows();
      long[] n = new long[Integer.numberOfTrailingZeros(fields)];
      for (int i = 0; i < n.length; i++) {
        n[i] = 1L << i;
      }
      return new IndexStrides(n, fields * shape.paddedColumns(), new long[0], fields);
    }
  }
}
