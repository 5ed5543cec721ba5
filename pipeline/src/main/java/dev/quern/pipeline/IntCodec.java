package dev.quern.pipeline;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.quantization.IntWeights;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Integers of 2 to 8 bits with scales of the weight's own type: {@code weight}, a byte an element
 * (int-quantized), or {@code weight_packed} with {@code weight_shape} (pack-quantized), beside them
 * {@code weight_scale} and, when asymmetric, {@code weight_zero_point}.
 */
final class IntCodec implements WeightCodec {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int CODES = 0;
  private static final int SCALE = 1;

  private final IntWeights weights;
  private final List<String> parameters = new ArrayList<>();
  private final int zeroPoint;
  private final int shape;
  private final boolean oneBlock;
  private final WeightObserver named;
  private final Optional<RangeObserver> observer;

  /** A codec whose strips know their ranges, unless a search has to measure the matrix first. */
  IntCodec(IntWeights weights, WeightObserver named) {
    this(
        weights,
        false,
        named,
        named.isSearch() ? named.atOnce(weights.type()) : Optional.of(weights.minMax()));
  }

  /** A codec for a matrix that is one block, which has to be measured first. */
  static IntCodec tensor(IntWeights weights) {
    return new IntCodec(weights, true, WeightObserver.minMax(), Optional.empty());
  }

  private IntCodec(
      IntWeights weights,
      boolean oneBlock,
      WeightObserver named,
      Optional<RangeObserver> observer) {
    this.weights = weights;
    this.oneBlock = oneBlock;
    this.named = named;
    this.observer = observer;
    parameters.add(weights.packed() ? "weight_packed" : "weight");
    parameters.add("weight_scale");
    zeroPoint = weights.symmetric() ? -1 : add("weight_zero_point");
    shape = weights.packed() ? add("weight_shape") : -1;
  }

  private int add(String parameter) {
    parameters.add(parameter);
    return parameters.size() - 1;
  }

  @Override
  public Optional<Measurement> measurement() {
    if (observer.isPresent()) {
      return Optional.empty();
    }
    return oneBlock
        ? Optional.of(new RangeMeasurement(weights, this::bind))
        : named.measurement(weights.type(), weights.grid(), this::bind);
  }

  private IntCodec bind(RangeObserver known) {
    return new IntCodec(weights, oneBlock, named, Optional.of(known));
  }

  @Override
  public int stripRows() {
    return oneBlock ? 1 : weights.stripRows();
  }

  @Override
  public List<String> parameters() {
    return parameters;
  }

  @Override
  public boolean wholeMatrix(int parameter) {
    return parameter == shape || (oneBlock && (parameter == SCALE || parameter == zeroPoint));
  }

  @Override
  public long bytes(int parameter, int rows) {
    if (parameter == CODES) {
      return weights.codeBytes(rows);
    } else if (parameter == SCALE) {
      return weights.scaleBytes(rows);
    } else if (parameter == zeroPoint) {
      return weights.zeroPointBytes(rows);
    } else if (parameter == shape) {
      return 2 * Long.BYTES;
    }
    throw new IllegalArgumentException("parameter " + parameter);
  }

  @Override
  public void compress(
      Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters) {
    weights.quantize(
        kernels,
        observer.orElseThrow(),
        source,
        rows,
        parameters.get(CODES),
        parameters.get(SCALE),
        zeroPoints(parameters));
    if (weights.packed()) {
      parameters.get(shape).set(LONG, 0, weights.grid().rows());
      parameters.get(shape).set(LONG, Long.BYTES, weights.grid().cols());
    }
  }

  private MemorySegment zeroPoints(List<MemorySegment> parameters) {
    return weights.symmetric() ? MemorySegment.NULL : parameters.get(zeroPoint);
  }

  @Override
  public void decompressRow(
      Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target) {
    weights.dequantizeRow(
        kernels, parameters.get(CODES), parameters.get(SCALE), zeroPoints(parameters), row, target);
  }

  @Override
  public Optional<String> contradiction(List<MemorySegment> parameters) {
    if (shape < 0) {
      return Optional.empty();
    }
    long rows = parameters.get(shape).get(LONG, 0);
    long cols = parameters.get(shape).get(LONG, Long.BYTES);
    ScaleGrid grid = weights.grid();
    return rows == grid.rows() && cols == grid.cols()
        ? Optional.empty()
        : Optional.of(
            "weight_shape: expected ["
                + grid.rows()
                + ", "
                + grid.cols()
                + "], found ["
                + rows
                + ", "
                + cols
                + "]");
  }

  /** The quotient and the product, each rounded to the weight's type. */
  @Override
  public float relativeBound() {
    double u = unit();
    return (float) ((2 * u + u * u) * (1 + 0x1p-20));
  }

  /**
   * Half a step of the integers; what a scale that was rounded down cuts off; half a step of the
   * type's own subnormals.
   *
   * <p>With a zero point, the sum with it is rounded as well, and so are the difference that gave
   * the scale and the two operations that gave the zero point. Together these move a code by at
   * most {@code 3.5 * 2^bits} units of the type's rounding, and terms of second order.
   */
  @Override
  public double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax) {
    float[] scales = scales(parameters, row);
    double largest = 0;
    double smallest = Double.POSITIVE_INFINITY;
    for (float scale : scales) {
      largest = Math.max(largest, scale);
      smallest = Math.min(smallest, scale);
    }
    double shifted = weights.symmetric() ? 0 : Math.scalb(4 * unit(), weights.bits());
    double tiny = weights.type().decode(1);
    double rounded = largest * (0.5 + shifted + tiny) * (1 + unit()) + tiny;
    return rounded + clipped(absMax, smallest);
  }

  /** How far beyond the codes' range a weight of this magnitude may lie. */
  private double clipped(float absMax, double scale) {
    double within =
        weights.symmetric()
            ? absMax - (IntGroups.highest(weights.bits()) + 0.5) * scale
            : 2.0 * absMax - ((1 << weights.bits()) - 1) * scale;
    return Math.max(0, within);
  }

  @Override
  public double range(List<MemorySegment> parameters, int rows, int row) {
    float largest = 0;
    for (float scale : scales(parameters, row)) {
      largest = Math.max(largest, scale);
    }
    return (weights.symmetric() ? 1 << (weights.bits() - 1) : (1 << weights.bits()) - 1)
        * (double) largest;
  }

  private float[] scales(List<MemorySegment> parameters, int row) {
    float[] scales = new float[weights.grid().gridCols()];
    weights.loadScales(parameters.get(SCALE), row / weights.grid().blockRows(), scales);
    return scales;
  }

  /** Half the gap above 1: the largest relative error of a rounding to the weight's type. */
  private double unit() {
    return weights.type().epsilon() / 2;
  }
}
