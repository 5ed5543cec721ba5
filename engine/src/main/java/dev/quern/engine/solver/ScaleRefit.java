package dev.quern.engine.solver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.Symmetric;
import dev.quern.engine.linalg.Triangle;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/**
 * Sets each scale to what is best for the codes that the sweep left, by the layer's error without
 * damping.
 *
 * <pre>
 *   D     what the stored weights lack, W - Q      layer error = tr(D H Dᵀ)
 *   P     H Dᵀ
 *   l     levels of one group of one row, 0 elsewhere: Q holds s l
 *
 *   s + d changes a row's error by  -2 d b + d² a,   b = lᵀ P,  a = lᵀ H l;   best d = b / a
 * </pre>
 *
 * <p>Groups go one after the other, all rows at once, and each sees the changes of those before it.
 * A change is made when the nearest scale that can be stored makes the error less; so the error
 * never grows, but for the roundings of products.
 */
final class ScaleRefit {
  private static final FloatType F32 = FloatType.F32;
  private static final int STRIP = 64;

  private final Workers workers;
  private final Workspace workspace;
  private final Layout layout;
  private final Hessian hessian;
  private final GroupScales scales;
  private final int[] groups;

  ScaleRefit(
      Workers workers,
      Workspace workspace,
      Layout layout,
      Hessian hessian,
      GroupScales scales,
      int[] groups) {
    this.workers = workers;
    this.workspace = workspace;
    this.layout = layout;
    this.hessian = hessian;
    this.scales = scales;
    this.groups = groups;
  }

  /**
   * Refits all scales so many times.
   *
   * @param codes one byte an element, [columns in the order of the sweep, padded rows]
   */
  void run(Arena arena, MemorySegment codes, int rounds) throws InterruptedException {
    ScaleGrid grid = scales.format().grid();
    int n = groups.length;
    // In an order in which groups are neighbours: sorting by group keeps the order within one.
    int[] sweep =
        IntStream.range(0, n)
            .boxed()
            .sorted((a, b) -> groups[a] - groups[b])
            .mapToInt(Integer::intValue)
            .toArray();
    int[] order = IntStream.of(sweep).map(j -> layout.order()[j]).toArray();
    FloatMatrix h = FloatMatrix.allocate(arena, n, n);
    hessian.copyLower(workers, order, h);
    Symmetric.mirror(h, Triangle.LOWER);
    FloatMatrix d = layout.transposed(arena, order);
    FloatMatrix p = FloatMatrix.allocate(arena, n, d.columns());
    FloatMatrix levels = FloatMatrix.allocate(arena, grid.blockCols(), d.columns());
    FloatMatrix product = FloatMatrix.allocate(arena, grid.blockCols(), d.columns());
    for (int g = 0; g < grid.gridCols(); g++) {
      int begin = grid.colBegin(g);
      int size = grid.colEnd(g) - begin;
      levels(codes, sweep, begin, size, levels);
      subtractStored(g, levels.view(0, 0, size, d.columns()), d.view(begin, 0, size, d.columns()));
    }
    Gemm.set(workspace, h.operand(), d.operand(), p);
    for (int round = 0; round < rounds; round++) {
      for (int g = 0; g < grid.gridCols(); g++) {
        int begin = grid.colBegin(g);
        int size = grid.colEnd(g) - begin;
        FloatMatrix l = levels.view(0, 0, size, d.columns());
        FloatMatrix hl = product.view(0, 0, size, d.columns());
        levels(codes, sweep, begin, size, l);
        Gemm.set(workspace, h.view(begin, begin, size, size).operand(), l.operand(), hl);
        change(g, l, hl, p.view(begin, 0, size, d.columns()));
        Gemm.subtract(workspace, h.view(0, begin, n, size).operand(), l.operand(), p);
      }
    }
  }

  /** Codes of a group as levels, a row for each column. */
  private void levels(MemorySegment codes, int[] sweep, int begin, int size, FloatMatrix levels)
      throws InterruptedException {
    StoredFormat format = scales.format();
    int rows = format.grid().rows();
    int padded = levels.columns();
    Tasks.run(
        workers,
        size,
        (j, worker) -> {
          int group = groups[sweep[begin + j]];
          for (int row = 0; row < rows; row++) {
            byte code = codes.get(JAVA_BYTE, (long) sweep[begin + j] * padded + row);
            float zero = F32.load(scales.zeroData(), scales.zeroOffset(group, row));
            float level =
                switch (format.element()) {
                  case INTEGER -> code - zero;
                  case E4M3 -> Fp8E4M3.decode(code);
                  case E2M1 -> Fp4E2M1.decode(code);
                };
            F32.store(levels.data(), levels.offset(j, row), level);
          }
        });
  }

  /** D = W - Q for the columns of one group. */
  private void subtractStored(int group, FloatMatrix levels, FloatMatrix d)
      throws InterruptedException {
    FloatType type = scales.format().productType();
    Tasks.run(
        workers,
        levels.rows(),
        (j, worker) -> {
          for (int row = 0; row < d.columns(); row++) {
            float scale = F32.load(scales.effectiveData(), scales.effectiveOffset(group, row));
            float stored = type.round(F32.load(levels.data(), levels.offset(j, row)) * scale);
            long at = d.offset(j, row);
            F32.store(d.data(), at, F32.load(d.data(), at) - stored);
          }
        });
  }

  /**
   * Changes the scales of one group.
   *
   * @param levels l; becomes the change of Q
   * @param product H l
   * @param p the group's rows of P
   */
  private void change(int group, FloatMatrix levels, FloatMatrix product, FloatMatrix p)
      throws InterruptedException {
    StoredFormat format = scales.format();
    FloatType type = format.productType();
    int rows = format.grid().rows();
    Tasks.run(
        workers,
        Math.ceilDiv(rows, STRIP),
        (task, worker) -> {
          for (int row = task * STRIP; row < Math.min(rows, (task + 1) * STRIP); row++) {
            double a = 0;
            double b = 0;
            for (int j = 0; j < levels.rows(); j++) {
              double l = F32.load(levels.data(), levels.offset(j, row));
              a += l * F32.load(product.data(), product.offset(j, row));
              b += l * F32.load(p.data(), p.offset(j, row));
            }
            float old = F32.load(scales.effectiveData(), scales.effectiveOffset(group, row));
            float now = better(format, group, row, old, a, b);
            for (int j = 0; j < levels.rows(); j++) {
              long at = levels.offset(j, row);
              float l = F32.load(levels.data(), at);
              F32.store(levels.data(), at, type.round(l * now) - type.round(l * old));
            }
          }
        });
  }

  /** Sets and returns the scale of a row, or returns the old one where none is better. */
  private float better(StoredFormat format, int group, int row, float old, double a, double b) {
    float wanted = (float) (old + b / a);
    if (!(a > 0) || !(wanted > 0) || wanted == Float.POSITIVE_INFINITY) {
      return old;
    }
    float stored = format.nearestScale(wanted);
    float now = format.effective(stored);
    double change = (double) now - old;
    float largest = format.productType().round(now * format.largestLevel());
    if (!(change * (change * a - 2 * b) < 0) || !Float.isFinite(largest)) {
      return old;
    }
    scales.setScale(row, group, stored);
    return now;
  }
}
