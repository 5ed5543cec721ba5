package dev.quern.engine.linalg;

import dev.quern.engine.kernel.MatrixKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The loops around the tile, for all products: both operands are packed, a part of the depth at a
 * time; then tasks take blocks of the result, in which for each part of the depth that a first
 * cache holds, each left panel meets each right panel.
 *
 * <p>The order in which an element's terms are added is that of k, however the blocks are cut: each
 * tile begins with what the one before it left in the result.
 */
final class Product {
  private final Workspace workspace;
  private final MatrixKernels kernels;
  private final MatrixOperand a;
  private final MatrixOperand b;
  private final boolean negate;
  private final FloatMatrix c;
  private final Triangle triangle;
  private final CompensatedSum sum;
  private final int tileRows;
  private final int tileColumns;

  /**
   * Where finished blocks of a triangle of sums go, when they are not the result themselves.
   *
   * @param sums [n, n + 1]: sums below the diagonal and on it, compensations behind it
   */
  record CompensatedSum(FloatMatrix sums) {
    /** Adds {@code n} elements of row {@code row} from column {@code column} on. */
    void add(MatrixKernels kernels, MemorySegment x, long xOffset, int row, int column, int n) {
      // Compensations lie behind the diagonal, where the last row's stand in the first row: as many
      // as the row that they belong to has sums.
      int n1 = sums.rows() - 1;
      long compensation = sums.offset(n1 - row, n1 - row + 1 + column);
      MemorySegment data = sums.data();
      kernels.addCompensated(x, xOffset, data, sums.offset(row, column), data, compensation, n);
    }
  }

  private Product(
      Workspace workspace,
      MatrixOperand a,
      MatrixOperand b,
      boolean negate,
      FloatMatrix c,
      Triangle triangle,
      CompensatedSum sum) {
    this.workspace = workspace;
    this.kernels = workspace.kernels();
    this.a = a;
    this.b = b;
    this.negate = negate;
    this.c = c;
    this.triangle = triangle;
    this.sum = sum;
    tileRows = kernels.tileRows();
    tileColumns = kernels.tileColumns();
  }

  /**
   * C = A B, or C += A B, or with {@code negate} C = -A B, or C -= A B.
   *
   * @param fromZero whether what C holds is replaced
   * @param triangle the part of C that is computed and written; null for all
   */
  static void run(
      Workspace workspace,
      MatrixOperand a,
      MatrixOperand b,
      boolean negate,
      boolean fromZero,
      FloatMatrix c,
      Triangle triangle) {
    Shapes.requireProduct(a, b, c);
    Shapes.requireApart(a, c);
    Shapes.requireApart(b, c);
    new Product(workspace, a, b, negate, c, triangle, null).run(fromZero);
  }

  /**
   * Adds the lower triangle of {@code Xᵀ X}, computed from zero, to sums with compensation.
   *
   * @param x at most {@link BlockSizes#PACKED_DEPTH} rows
   */
  static void accumulate(Workspace workspace, MatrixOperand x, CompensatedSum sum) {
    int n = x.columns();
    FloatMatrix c = sum.sums().view(0, 0, n, n);
    new Product(workspace, x.transposed(), x, false, c, Triangle.LOWER, sum).run(true);
  }

  private void run(boolean fromZero) {
    int depth = a.columns();
    if (depth == 0 && !fromZero) {
      return;
    }
    int packedDepth = Math.min(Math.max(1, depth), BlockSizes.PACKED_DEPTH);
    int most = (int) Math.min(Integer.MAX_VALUE / 2, BlockSizes.PACKED_FLOATS / packedDepth);
    int mostRows = most / tileRows * tileRows;
    int mostColumns = most / tileColumns * tileColumns;
    for (int column = 0; column < c.columns(); column += mostColumns) {
      int columns = Math.min(mostColumns, c.columns() - column);
      for (int row = 0; row < c.rows(); row += mostRows) {
        int rows = Math.min(mostRows, c.rows() - row);
        for (int k = 0; k == 0 || k < depth; k += packedDepth) {
          int part = Math.min(packedDepth, depth - k);
          new Part(row, rows, column, columns, k, part, fromZero && k == 0).run();
        }
      }
    }
  }

  /** What is packed at once: some rows of A, columns of B, and a part of the depth. */
  private final class Part {
    final int row;
    final int rows;
    final int column;
    final int columns;
    final int k;
    final int depth;
    final boolean fromZero;
    final int leftPanels;
    final int rightPanels;
    MemorySegment left;
    MemorySegment right;
    int blockRows;
    int blockColumns;

    Part(int row, int rows, int column, int columns, int k, int depth, boolean fromZero) {
      this.row = row;
      this.rows = rows;
      this.column = column;
      this.columns = columns;
      this.k = k;
      this.depth = depth;
      this.fromZero = fromZero;
      leftPanels = Math.ceilDiv(rows, tileRows);
      rightPanels = Math.ceilDiv(columns, tileColumns);
    }

    void run() {
      long leftPanel = 4L * depth * tileRows;
      long rightPanel = 4L * depth * tileColumns;
      left = workspace.left(leftPanels * leftPanel);
      right = workspace.right(rightPanels * rightPanel);
      int perLeft = Math.max(1, tileColumns / tileRows);
      int leftTasks = Math.ceilDiv(leftPanels, perLeft);
      workspace.run(
          leftTasks + rightPanels,
          10.0 * depth * (rows + columns),
          (task, worker) -> {
            if (task < leftTasks) {
              packLeft(task * perLeft, Math.min(leftPanels, (task + 1) * perLeft), worker);
            } else {
              packRight(task - leftTasks);
            }
          });
      blockColumns = Math.ceilDiv(columns, BlockSizes.COLUMNS);
      blockRows = Math.ceilDiv(rows, BlockSizes.ROWS);
      while (blockRows * blockColumns < BlockSizes.TASKS && blockRows * 8 * tileRows <= rows) {
        blockRows *= 2;
      }
      double operations = 2.0 * rows * columns * depth;
      workspace.run(
          blockRows * blockColumns, triangle == null ? operations : operations / 2, this::block);
    }

    // Scratch memory holds one part of the depth after the other, and of each all panels: what a
    // task goes through again and again then lies together.

    long leftOffset(int r, int from, int n) {
      return 4L * ((long) from * leftPanels * tileRows + (long) r * n);
    }

    long rightOffset(int s, int from, int n) {
      return 4L * ((long) from * rightPanels * tileColumns + (long) s * n);
    }

    /**
     * Where lanes are neighbours, a panel takes a few bytes of each row, and rows are pages apart.
     * So a strip as wide as a right panel is packed first, and left panels from that.
     */
    void packLeft(int begin, int end, int worker) {
      int bytes = a.type().bytes();
      long laneStride = a.rowStride() * bytes;
      long depthStride = a.columnStride() * bytes;
      int first = begin * tileRows;
      boolean staged = laneStride == bytes && first + tileColumns <= rows;
      for (int from = 0; from < depth; from += BlockSizes.DEPTH) {
        int n = Math.min(BlockSizes.DEPTH, depth - from);
        long source = (row + first) * laneStride + (k + from) * depthStride;
        if (staged) {
          MemorySegment strip = workspace.own(worker, 4L * tileColumns * n);
          kernels.pack(
              a.type(),
              a.data(),
              source,
              laneStride,
              depthStride,
              tileColumns,
              tileColumns,
              n,
              negate,
              strip,
              0);
          for (int panel = begin; panel < end; panel++) {
            int lane = (panel - begin) * tileRows;
            kernels.pack(
                FloatType.F32,
                strip,
                4L * lane,
                Float.BYTES,
                4L * tileColumns,
                tileRows,
                tileRows,
                n,
                false,
                left,
                leftOffset(panel * tileRows, from, n));
          }
          continue;
        }
        for (int panel = begin; panel < end; panel++) {
          int lane = (panel - begin) * tileRows;
          kernels.pack(
              a.type(),
              a.data(),
              source + lane * laneStride,
              laneStride,
              depthStride,
              Math.min(tileRows, rows - panel * tileRows),
              tileRows,
              n,
              negate,
              left,
              leftOffset(panel * tileRows, from, n));
        }
      }
    }

    void packRight(int panel) {
      int first = panel * tileColumns;
      int lanes = Math.min(tileColumns, columns - first);
      long laneStride = b.columnStride() * b.type().bytes();
      long depthStride = b.rowStride() * b.type().bytes();
      for (int from = 0; from < depth; from += BlockSizes.DEPTH) {
        int n = Math.min(BlockSizes.DEPTH, depth - from);
        kernels.pack(
            b.type(),
            b.data(),
            (column + first) * laneStride + (k + from) * depthStride,
            laneStride,
            depthStride,
            lanes,
            tileColumns,
            n,
            false,
            right,
            rightOffset(first, from, n));
      }
    }

    /**
     * One block of the result; the last ones first, which are the large ones of a lower triangle.
     */
    void block(int task, int worker) {
      int i = blockRows - 1 - task / blockColumns;
      int j = task % blockColumns;
      int top = BlockSizes.bound(rows, tileRows, blockRows, i);
      int bottom = BlockSizes.bound(rows, tileRows, blockRows, i + 1);
      int begin = BlockSizes.bound(columns, tileColumns, blockColumns, j);
      int end = BlockSizes.bound(columns, tileColumns, blockColumns, j + 1);
      if (top == bottom || begin == end || isOutside(top, bottom, begin, end)) {
        return;
      }
      long tileBytes = 4L * tileRows * tileColumns;
      if (sum == null) {
        MemorySegment tile = workspace.own(worker, tileBytes);
        MemorySegment data = c.data();
        long origin = c.offset(row, column);
        multiply(top, bottom, begin, end, data, origin, c.strideBytes(), tile, 0);
      } else {
        long stride = 4L * Math.ceilDiv(end - begin, 16) * 16;
        MemorySegment own = workspace.own(worker, tileBytes + (bottom - top) * stride);
        long origin = tileBytes - top * stride - 4L * begin;
        multiply(top, bottom, begin, end, own, origin, stride, own, 0);
        for (int r = top; r < bottom; r++) {
          int n = Math.min(column + end, row + r + 1) - (column + begin);
          if (n > 0) {
            sum.add(kernels, own, origin + r * stride + 4L * begin, row + r, column + begin, n);
          }
        }
      }
    }

    /** Whether no element of a block is wanted. */
    boolean isOutside(int top, int bottom, int begin, int end) {
      return triangle == Triangle.LOWER && row + bottom <= column + begin
          || triangle == Triangle.UPPER && row + top >= column + end;
    }

    /** Whether every element of a block is wanted. */
    boolean isInside(int top, int bottom, int begin, int end) {
      return triangle == null
          || triangle == Triangle.LOWER && row + top >= column + end - 1
          || triangle == Triangle.UPPER && row + bottom - 1 <= column + begin;
    }

    /**
     * The tiles of one block; {@code origin} is where row 0 and column 0 of this part would lie.
     */
    void multiply(
        int top,
        int bottom,
        int begin,
        int end,
        MemorySegment target,
        long origin,
        long stride,
        MemorySegment tile,
        long tileOffset) {
      for (int from = 0; from == 0 || from < depth; from += BlockSizes.DEPTH) {
        int n = Math.min(BlockSizes.DEPTH, depth - from);
        boolean zero = fromZero && from == 0;
        for (int r = top; r < bottom; r += tileRows) {
          int rowEnd = Math.min(bottom, r + tileRows);
          if (zero) {
            clear(r, rowEnd, begin, end, target, origin, stride);
          }
          long leftOffset = leftOffset(r, from, n);
          for (int s = begin; s < end; s += tileColumns) {
            int columnEnd = Math.min(end, s + tileColumns);
            long rightOffset = rightOffset(s, from, n);
            long at = origin + r * stride + 4L * s;
            if (rowEnd - r == tileRows
                && columnEnd - s == tileColumns
                && isInside(r, rowEnd, s, columnEnd)) {
              kernels.multiply(left, leftOffset, right, rightOffset, n, target, at, stride);
            } else if (!isOutside(r, rowEnd, s, columnEnd)) {
              long tileStride = 4L * tileColumns;
              copy(r, rowEnd, s, columnEnd, target, at, stride, tile, tileOffset, tileStride);
              kernels.multiply(
                  left, leftOffset, right, rightOffset, n, tile, tileOffset, tileStride);
              copy(r, rowEnd, s, columnEnd, tile, tileOffset, tileStride, target, at, stride);
            }
          }
        }
      }
    }

    /** The first wanted column of a row, among those from {@code begin} on. */
    int first(int r, int begin) {
      return triangle == Triangle.UPPER ? Math.max(begin, row + r - column) : begin;
    }

    /** The column behind the last wanted one of a row, among those before {@code end}. */
    int last(int r, int end) {
      return triangle == Triangle.LOWER ? Math.min(end, row + r - column + 1) : end;
    }

    /** Sets the wanted elements of some rows to +0, right before tiles are added to them. */
    void clear(
        int top, int bottom, int begin, int end, MemorySegment target, long origin, long stride) {
      for (int r = top; r < bottom; r++) {
        int first = first(r, begin);
        int last = last(r, end);
        if (first < last) {
          target.asSlice(origin + r * stride + 4L * first, 4L * (last - first)).fill((byte) 0);
        }
      }
    }

    /** The wanted elements of a tile that is cut by an edge or by the diagonal. */
    void copy(
        int top,
        int bottom,
        int begin,
        int end,
        MemorySegment source,
        long from,
        long fromStride,
        MemorySegment target,
        long to,
        long toStride) {
      for (int r = top; r < bottom; r++) {
        int first = first(r, begin);
        int last = last(r, end);
        if (first < last) {
          MemorySegment.copy(
              source,
              from + (r - top) * fromStride + 4L * (first - begin),
              target,
              to + (r - top) * toStride + 4L * (first - begin),
              4L * (last - first));
        }
      }
    }
  }
}
