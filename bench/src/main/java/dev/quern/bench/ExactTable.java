package dev.quern.bench;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.Nvfp4Search;
import dev.quern.engine.quantization.Nvfp4Weights;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.quantization.observer.MseObserver;
import dev.quern.engine.quantization.observer.ObserverSettings;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Squared errors of NVFP4 under four ways to find scales, for every matrix of every model in a
 * folder, each with a global scale of its own: {@code memoryless_minmax}, Four over Six (arXiv
 * 2512.02010), the reference's {@code nvfp4_expanded_mse}, and {@code exact}.
 */
public final class ExactTable {
  private static final int GROUP = Nvfp4Scales.GROUP_SIZE;

  private ExactTable() {}

  /**
   * What one matrix, or all of a model, shows.
   *
   * @param matrices how many there are
   * @param notLarger of how many {@code exact} has an error that is not above any other way's
   * @param four sum over matrices of the error of Four over Six, relative to minmax
   * @param expanded the same of the expanded search
   * @param exact the same of {@code exact}
   */
  public record Errors(int matrices, int notLarger, double four, double expanded, double exact) {
    static final Errors NONE = new Errors(0, 0, 0, 0, 0);

    Errors plus(Errors other) {
      return new Errors(
          matrices + other.matrices,
          notLarger + other.notLarger,
          four + other.four,
          expanded + other.expanded,
          exact + other.exact);
    }
  }

  private record Matrix(FloatType type, MemorySegment bytes, int rows, int cols, int maxBits) {
    float at(int row, int col) {
      return type.load(bytes, ((long) row * cols + col) * type.bytes());
    }

    float groupMax(int row, int group) {
      float max = 0;
      for (int col = GROUP * group; col < GROUP * (group + 1); col++) {
        max = Math.max(max, Math.abs(at(row, col)));
      }
      return max;
    }

    /** In doubles, of the values as they are stored. */
    double squaredError(int row, int group, byte code, float global) {
      float scale = Nvfp4Scales.scale(code, global);
      double sum = 0;
      for (int col = GROUP * group; col < GROUP * (group + 1); col++) {
        float x = at(row, col);
        double stored = (double) Fp4E2M1.decode(Fp4E2M1.encode(x / scale)) * scale;
        sum += (x - stored) * (x - stored);
      }
      return sum;
    }

    double squaredError(float global, CodeOf codes) {
      double sum = 0;
      for (int row = 0; row < rows; row++) {
        for (int group = 0; group < cols / GROUP; group++) {
          sum += squaredError(row, group, codes.of(row, group), global);
        }
      }
      return sum;
    }
  }

  private interface CodeOf {
    byte of(int row, int group);
  }

  private static byte code(float scale) {
    byte code = Fp8E4M3.encode(scale);
    return code == 0 ? Fp8E4M3.encode(0.125f) : code;
  }

  private static double minmax(Matrix m) {
    float global = Nvfp4Scales.of(m.type, m.maxBits).global();
    return m.squaredError(
        global, (row, g) -> Nvfp4Scales.code(m.type, global, m.type.encode(m.groupMax(row, g))));
  }

  /** The largest weight of a group becomes 6 or 4, whichever is better. */
  private static double fourOverSix(Matrix m) {
    float global = 256 * 6 / m.type.decode(m.maxBits);
    return m.squaredError(
        global,
        (row, g) -> {
          byte six = code(m.groupMax(row, g) / 6 * global);
          byte four = code(m.groupMax(row, g) / 4 * global);
          boolean isSix =
              m.squaredError(row, g, six, global) <= m.squaredError(row, g, four, global);
          return isSix ? six : four;
        });
  }

  /** The reference's search, whose global scale is that of the ranges found. */
  private static double expanded(Kernels kernels, Matrix m) {
    var search = ObserverSettings.of("nvfp4_expanded_mse").search(m.type, CandidateFormat.E2M1);
    MseObserver observer = new MseObserver(search, search.steps());
    ScaleGrid grid = new ScaleGrid(m.rows, m.cols, 1, GROUP);
    float[][] ranges = new float[m.rows][m.cols / GROUP];
    float[] min = new float[m.cols / GROUP];
    float largest = 0;
    for (int row = 0; row < m.rows; row++) {
      observer.gridRow(kernels, m.type, m.bytes, grid, row, min, ranges[row]);
      for (int g = 0; g < min.length; g++) {
        ranges[row][g] = Math.max(ranges[row][g], -min[g]);
        largest = Math.max(largest, ranges[row][g]);
      }
    }
    float global = Nvfp4Scales.global(m.type, m.type.encode(largest));
    return m.squaredError(
        global, (row, g) -> Nvfp4Scales.code(m.type, global, m.type.encode(ranges[row][g])));
  }

  private static double exact(Kernels kernels, Matrix m) {
    Nvfp4Search best = null;
    long least = Long.MAX_VALUE;
    for (int c = 0; c < Nvfp4Search.GLOBAL_SCALES; c++) {
      Nvfp4Search search = Nvfp4Search.of(m.type, m.maxBits, c);
      long error = search.squaredError(kernels, m.bytes, m.rows, m.cols);
      if (best == null || error < least) {
        least = error;
        best = search;
      }
    }
    try (Arena arena = Arena.ofConfined()) {
      long elements = (long) m.rows * m.cols;
      MemorySegment packed = arena.allocate(elements / 2);
      MemorySegment codes = arena.allocate(elements / GROUP);
      Nvfp4Weights.quantize(kernels, m.type, m.bytes, m.rows, m.cols, best, packed, codes);
      return m.squaredError(
          best.scales().global(),
          (row, g) -> codes.get(ValueLayout.JAVA_BYTE, (long) row * m.cols / GROUP + g));
    }
  }

  private static Errors compare(Kernels kernels, Matrix m) {
    double minmax = minmax(m);
    double four = fourOverSix(m);
    double expanded = expanded(kernels, m);
    double exact = exact(kernels, m);
    boolean notLarger = exact <= minmax && exact <= four && exact <= expanded;
    return new Errors(1, notLarger ? 1 : 0, four / minmax, expanded / minmax, exact / minmax);
  }

  private static Optional<Matrix> matrix(SourceTensor tensor, Arena arena) {
    Optional<FloatType> type = FloatType.of(tensor.info().dtype());
    boolean fits = tensor.info().shape().size() == 2 && tensor.info().dim(1) % GROUP == 0;
    if (type.isEmpty() || !fits) {
      return Optional.empty();
    }
    int rows = Math.toIntExact(tensor.info().dim(0));
    int cols = Math.toIntExact(tensor.info().dim(1));
    MemorySegment bytes = arena.allocate(tensor.info().bytes(), 64);
    bytes.copyFrom(tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena));
    int max = AbsMax.ofRows(KernelChoice.withoutVectors(), type.get(), bytes, rows, cols);
    return max == 0
        ? Optional.empty()
        : Optional.of(new Matrix(type.get(), bytes, rows, cols, max));
  }

  /** Errors over all matrices of a model whose rows groups of 16 divide. */
  static Errors ofModel(Path model) throws IOException {
    Kernels kernels = KernelChoice.current().kernels();
    Errors all = Errors.NONE;
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      for (SourceTensor tensor : checkpoint.tensors()) {
        try (Arena arena = Arena.ofConfined()) {
          Optional<Matrix> matrix = matrix(tensor, arena);
          if (matrix.isPresent()) {
            all = all.plus(compare(kernels, matrix.get()));
          }
        }
      }
    }
    return all;
  }

  private static void print(Path folder, PrintStream out) throws IOException {
    List<Path> models;
    try (Stream<Path> entries = Files.list(folder)) {
      models = entries.filter(p -> Files.exists(p.resolve("config.json"))).sorted().toList();
    }
    out.println(
        "| model | matrices | exact is not above any other | Four over Six | nvfp4_expanded_mse "
            + "| exact |");
    out.println("|---|---:|---:|---:|---:|---:|");
    for (Path model : models) {
      Errors e = ofModel(model);
      int n = Math.max(1, e.matrices);
      out.printf(
          Locale.ROOT,
          "| %s | %d | %d | %.3f | %.3f | %.3f |%n",
          model.getFileName(),
          e.matrices,
          e.notLarger,
          e.four / n,
          e.expanded / n,
          e.exact / n);
    }
  }

  /**
   * Prints the table.
   *
   * @param args {@code --models FOLDER}, a folder of model folders
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 2 || !args[0].equals("--models")) {
      System.err.println("bench/run exact-table --models FOLDER, a folder of model folders");
      System.exit(2);
    }
    print(Path.of(args[1]), System.out);
  }
}
