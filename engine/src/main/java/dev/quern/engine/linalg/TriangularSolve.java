package dev.quern.engine.linalg;

import dev.quern.engine.kernel.MatrixKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * Forward substitution with a lower triangle that is stored as its transpose: X = L⁻¹ X for L = Vᵀ.
 *
 * <p>The law: rows i ascending, {@code s = x[i][j]}, {@code s = fma(-v[k][i], x[k][j], s)} for k
 * from 0 to i - 1, {@code x[i][j] = s / v[i][i]}.
 *
 * <p>A task takes one right panel of X: it stays in the caches while the triangle passes by, tile
 * after tile, each the product of what is solved already and then a small triangle.
 */
final class TriangularSolve {
  private static final FloatType F32 = FloatType.F32;

  private final Workspace workspace;
  private final MatrixKernels kernels;
  private final int tileRows;
  private final int tileColumns;

  /** The triangle, packed: its left panels, then its diagonal. */
  private MemorySegment triangle;

  private long diagonal;
  private int n;

  TriangularSolve(Workspace workspace) {
    this.workspace = workspace;
    kernels = workspace.kernels();
    tileRows = kernels.tileRows();
    tileColumns = kernels.tileColumns();
  }

  /** Solves in place: X [n, m] for V [n, n]. */
  void solve(FloatMatrix v, FloatMatrix x) {
    pack(v);
    solve(x);
  }

  /** Solves in place with the triangle that was packed last. */
  void solve(FloatMatrix x) {
    int panels = Math.ceilDiv(x.columns(), tileColumns);
    workspace.run(panels, (double) n * n * x.columns(), (task, worker) -> panel(x, task, worker));
  }

  private long leftPanel() {
    return 4L * n * tileRows;
  }

  /** Copies V [n, n], whose place may then be overwritten. */
  void pack(FloatMatrix v) {
    n = v.rows();
    int panels = Math.ceilDiv(n, tileRows);
    diagonal = panels * leftPanel();
    triangle = workspace.panel(diagonal + 4L * n);
    for (int panel = 0; panel < panels; panel++) {
      int first = panel * tileRows;
      int lanes = Math.min(tileRows, n - first);
      kernels.pack(
          F32,
          v.data(),
          v.offset(0, first),
          Float.BYTES,
          v.strideBytes(),
          lanes,
          tileRows,
          first + lanes,
          true,
          triangle,
          panel * leftPanel());
    }
    for (int i = 0; i < n; i++) {
      F32.store(triangle, diagonal + 4L * i, v.get(i, i));
    }
  }

  private void panel(FloatMatrix x, int panel, int worker) {
    int column = panel * tileColumns;
    int lanes = Math.min(tileColumns, x.columns() - column);
    long row = 4L * tileColumns;
    int wholeTiles = Math.ceilDiv(n, tileRows) * tileRows;
    MemorySegment own = workspace.own(worker, wholeTiles * row);
    kernels.pack(
        F32,
        x.data(),
        x.offset(0, column),
        Float.BYTES,
        x.strideBytes(),
        lanes,
        tileColumns,
        n,
        false,
        own,
        0);
    for (int i = 0; i < n; i += tileRows) {
      long left = (i / tileRows) * leftPanel();
      if (i > 0) {
        kernels.multiply(triangle, left, own, 0, i, own, i * row, row);
      }
      kernels.solveTile(
          triangle,
          left + 4L * i * tileRows,
          triangle,
          diagonal + 4L * i,
          Math.min(tileRows, n - i),
          own,
          i * row);
    }
    for (int i = 0; i < n; i++) {
      MemorySegment.copy(own, i * row, x.data(), x.offset(i, column), 4L * lanes);
    }
  }
}
