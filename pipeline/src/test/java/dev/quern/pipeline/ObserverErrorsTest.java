package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.kernel.RangeSearchKernels;
import dev.quern.engine.kernel.ScalarRangeSearch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.observer.ObserverSettings;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Errors of the observers on the Linear matrices of the small trained models, rounded to bf16: the
 * table of {@code docs/observers.md}, which this test prints, and what it must always show.
 */
class ObserverErrorsTest {
  private static final FloatType TYPE = FloatType.BF16;

  @ParameterizedTest
  @CsvSource({
    "storyteller-4m, INTEGER, 4, 128",
    "storyteller-4m, INTEGER, 3, 128",
    "storyteller-4m, INTEGER, 8, 0",
    "storyteller-4m, E4M3, 8, 0",
    "tinystories-656k, INTEGER, 4, 128",
    "tinystories-656k, INTEGER, 8, 0",
    "tinystories-656k, E4M3, 8, 0",
    "stories260K-hf, INTEGER, 4, 0",
    "stories260K-hf, E4M3, 8, 0",
  })
  void exactIsNeverWorse(String model, CandidateFormat.Kind kind, int bits, int group) {
    CandidateFormat format = new CandidateFormat(kind, bits, true);
    double[] sums = new double[4]; // minmax, mse, exact, and the squares of the weights
    int matrices = 0;
    try (SafetensorsFile file =
        SafetensorsFile.open(TestData.path("models/" + model + "/model.safetensors"))) {
      for (TensorInfo tensor : file.tensors()) {
        if (tensor.name().endsWith("_proj.weight")) {
          double[] errors = errors(file, tensor, format, group);
          assertThat(errors[2])
              .as(tensor.name())
              .isLessThanOrEqualTo(errors[0])
              .isLessThanOrEqualTo(errors[1]);
          for (int i = 0; i < sums.length; i++) {
            sums[i] += errors[i];
          }
          matrices++;
        }
      }
    }
    assertThat(matrices).isGreaterThanOrEqualTo(14);
    String scheme = kind + " " + bits + (group == 0 ? ", row" : ", groups of " + group);
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %.2f | %.2f | %.2f |%n",
        model,
        scheme,
        decibels(sums[0], sums[3]),
        decibels(sums[1], sums[3]),
        decibels(sums[2], sums[3]));
  }

  private static double decibels(double error, double signal) {
    return 10 * Math.log10(signal / error);
  }

  /** Squared errors of each observer over one matrix, and the squares of the weights. */
  private static double[] errors(
      SafetensorsFile file, TensorInfo tensor, CandidateFormat format, int group) {
    try (Arena arena = Arena.ofConfined()) {
      int count = Math.toIntExact(tensor.elements());
      int n = group == 0 ? Math.toIntExact(tensor.dim(1)) : group;
      FloatType from = FloatType.of(tensor.dtype()).orElseThrow();
      MemorySegment source = file.map(tensor, 0, tensor.bytes(), arena);
      MemorySegment weights = arena.allocate(2L * count, 64);
      double[] errors = new double[4];
      for (int i = 0; i < count; i++) {
        float x = from.load(source, (long) i * from.bytes());
        TYPE.store(weights, 2L * i, x);
        errors[3] += (double) x * x;
      }
      RangeSearch exact = ObserverSettings.of("exact").search(TYPE, format);
      RangeSearch mse = ObserverSettings.of("memoryless_mse").search(TYPE, format);
      errors[0] = squares(mse, 0, exact, weights, count, n);
      errors[1] = squares(mse, mse.steps(), exact, weights, count, n);
      errors[2] = squares(exact, exact.steps(), exact, weights, count, n);
      return errors;
    }
  }

  private static double squares(
      RangeSearch search, int steps, RangeSearch exact, MemorySegment weights, int count, int n) {
    RangeSearchKernels kernels = KernelChoice.current().kernels().rangeSearch();
    int blocks = count / n;
    float[] min = new float[blocks];
    float[] max = new float[blocks];
    kernels.search(search, steps, weights, 0, blocks, n, min, max, 0);
    double sum = 0;
    for (int b = 0; b < blocks; b++) {
      sum += ScalarRangeSearch.error(exact, min[b], max[b], weights, 2L * b * n, n);
    }
    return sum;
  }
}
