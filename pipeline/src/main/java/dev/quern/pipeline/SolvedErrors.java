package dev.quern.pipeline;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.pipeline.report.Deviation;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How far solved matrices are from their source: the output is opened and decoded as any quantized
 * checkpoint is. A solver moves weights on purpose, so no bound is applied; a figure far from those
 * of rounding would still be seen.
 */
final class SolvedErrors {
  private static final long PIECE = 1 << 20;

  private record Piece(int tensor, int row, int rows) {}

  private final List<TensorPlan> solved;
  private final SourceModel source;
  private final Path folder;

  /**
   * @param folder of the output, complete
   */
  SolvedErrors(List<TensorPlan> solved, SourceModel source, Path folder) {
    this.solved = solved;
    this.source = source;
    this.folder = folder;
  }

  /** Errors by the modules' names. */
  SortedMap<String, Deviation> run(Workers workers, Progress progress) throws Exception {
    if (solved.isEmpty()) {
      return new TreeMap<>();
    }
    progress.stage("compare", solved.stream().mapToLong(t -> t.source().bytes()).sum());
    List<Piece> pieces = new ArrayList<>();
    for (int i = 0; i < solved.size(); i++) {
      SourceWeight weight = source.find(solved.get(i).name()).orElseThrow();
      // Rows that every encoding can be read by.
      int step = (int) Math.max(128, PIECE / weight.rowBytes() / 128 * 128);
      for (int row = 0; row < weight.rows(); row += step) {
        pieces.add(new Piece(i, row, Math.min(step, weight.rows() - row)));
      }
    }
    Deviation[] sums = new Deviation[pieces.size()];
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      Map<FloatType, SourceModel> decoded = new EnumMap<>(FloatType.class);
      for (TensorPlan tensor : solved) {
        decoded.computeIfAbsent(
            FloatType.of(tensor.source().dtype()).orElseThrow(),
            type -> SourceModel.open(checkpoint, type));
      }
      workers.run(
          pieces.size(),
          (index, _) -> {
            Piece piece = pieces.get(index);
            String name = solved.get(piece.tensor()).name();
            SourceWeight weight = source.find(name).orElseThrow();
            SourceWeight again = decoded.get(weight.type()).find(name).orElseThrow();
            sums[index] = compare(weight, again, piece);
            progress.advance(piece.rows() * weight.rowBytes());
          });
    }
    SortedMap<String, Deviation> modules = new TreeMap<>();
    for (int i = 0; i < sums.length; i++) {
      modules.merge(solved.get(pieces.get(i).tensor()).module(), sums[i], Deviation::plus);
    }
    return modules;
  }

  private static Deviation compare(SourceWeight source, SourceWeight decoded, Piece piece) {
    Kernels kernels = Kernels.best();
    FloatType type = source.type();
    try (Arena arena = Arena.ofConfined();
        Scratch first = new Scratch();
        Scratch second = new Scratch()) {
      MemorySegment was = read(kernels, source, piece, arena, first);
      MemorySegment is = read(kernels, decoded, piece, arena, second);
      ErrorSums row = new ErrorSums();
      Deviation sum = Deviation.NONE;
      for (int r = 0; r < piece.rows(); r++) {
        long at = r * source.rowBytes();
        row.clear();
        kernels.addErrors(type, was, at, is, at, source.cols(), 0, row);
        float largest = type.decode(kernels.absMaxBits(type, is, at, source.cols()));
        sum = sum.plus(ErrorStatistics.row(row, row.maxError == 0 ? 0 : row.maxError / largest));
      }
      return sum;
    }
  }

  private static MemorySegment read(
      Kernels kernels, SourceWeight weight, Piece piece, Arena arena, Scratch scratch) {
    return weight.read(
        kernels, piece.row() * weight.rowBytes(), piece.rows() * weight.rowBytes(), arena, scratch);
  }
}
