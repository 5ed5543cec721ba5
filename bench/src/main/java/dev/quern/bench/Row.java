package dev.quern.bench;

import dev.quern.engine.numeric.FloatType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One line of the table: a benchmark with its parameters.
 *
 * @param label what the table calls it
 * @param method class and method
 * @param type type of the weights
 * @param kibibytes size of each thread's matrix
 * @param passes how often an operation goes over it
 */
record Row(String label, String method, FloatType type, int kibibytes, int passes) {
  private static final String FP8 = Fp8Benchmark.class.getName() + ".";
  private static final String INT = IntBenchmark.class.getName() + ".";
  private static final String FP4 = Fp4Benchmark.class.getName() + ".";
  private static final String PRUNE = PruneBenchmark.class.getName() + ".";
  private static final String CONVERSION = ConversionBenchmark.class.getName() + ".";
  private static final int IN_CACHE = 256;

  /** The plain copy that a type's kernels are compared with. */
  static Row copy(FloatType type, int kibibytes) {
    return new Row(label("copy", type), FP8 + "copy", type, kibibytes, 1);
  }

  /** The kernels of one type, without the copy. */
  static List<Row> kernels(FloatType type, int kibibytes) {
    List<Row> rows = new ArrayList<>();
    rows.add(channel(type, kibibytes));
    // Right after it, since the two are compared.
    rows.add(inCache(type));
    String scalar = "quantizeChannelScalar";
    rows.add(new Row(label(scalar, type) + ", in cache", FP8 + scalar, type, IN_CACHE, 16));
    for (String name :
        List.of(
            "quantizeBlock",
            "quantizeTensor",
            "dequantizeChannel",
            "absMaxTensor",
            "absMaxRow",
            "absMaxTile")) {
      rows.add(new Row(label(name, type), FP8 + name, type, kibibytes, 1));
    }
    for (String name :
        List.of(
            "quantizeW8A8",
            "quantizeW4A16",
            "quantizeW4A16Asym",
            "quantizeW3A16",
            "dequantizeW4A16")) {
      rows.add(new Row(label(name, type), INT + name, type, kibibytes, 1));
    }
    for (String name :
        List.of(
            "quantizeNvfp4",
            "quantizeNvfp4Exact",
            "quantizeMxfp4",
            "quantizeMxfp8",
            "dequantizeNvfp4",
            "dequantizeMxfp8")) {
      rows.add(new Row(label(name, type), FP4 + name, type, kibibytes, 1));
    }
    for (String name :
        List.of("magnitude24", "magnitude48", "wanda24", "pruneBelow", "countDigits")) {
      rows.add(new Row(label(name, type), PRUNE + name, type, kibibytes, 1));
    }
    if (type != FloatType.F32) {
      String name = type.name().toLowerCase(Locale.ROOT);
      rows.add(new Row(name + " to f32", CONVERSION + "toF32", type, kibibytes, 1));
      rows.add(new Row("f32 to " + name, CONVERSION + "fromF32", type, kibibytes, 1));
    }
    return rows;
  }

  /** Bytes of weights that one operation of one thread works on. */
  long bytes() {
    return passes * Weights.sourceBytes(type, kibibytes);
  }

  /** Channel quantization from memory: the figure that matters most. */
  static Row channel(FloatType type, int kibibytes) {
    String name = "quantizeChannel";
    return new Row(label(name, type), FP8 + name, type, kibibytes, 1);
  }

  /** Channel quantization of a matrix that stays in the cache: what the arithmetic allows. */
  static Row inCache(FloatType type) {
    return new Row(
        label("quantizeChannel", type) + ", in cache",
        FP8 + "quantizeChannel",
        type,
        IN_CACHE,
        512);
  }

  private static String label(String name, FloatType type) {
    return name + " " + type.name().toLowerCase(Locale.ROOT);
  }
}
