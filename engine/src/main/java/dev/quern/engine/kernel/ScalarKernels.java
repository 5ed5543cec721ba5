package dev.quern.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.MemorySegment;

/**
 * The definition of every bulk operation: one obvious loop over the laws of {@code engine.numeric}.
 *
 * <p>Files are written by these definitions. Other providers are twins that equal them bit for bit.
 */
public final class ScalarKernels implements Kernels {
  /** Lanes of {@link #addErrors}: one 512-bit vector of binary32. */
  public static final int ERROR_LANES = 16;

  private static final RangeSearchKernels RANGE_SEARCH = new ScalarRangeSearch();
  private static final Fp4Kernels FP4 = new ScalarFp4Kernels();
  private static final IntKernels INTEGERS = new ScalarIntKernels();
  private static final MatrixKernels MATRICES = new ScalarMatrixKernels();
  private static final LayoutKernels LAYOUTS = new ScalarLayoutKernels();
  private static final SparseKernels SPARSE = new ScalarSparseKernels();
  private static final MaskKernels MASKS = new ScalarMaskKernels();
  private static final PruneKernels PRUNING = new ScalarPruneKernels();
  private static final DecoderKernels DECODER = new ScalarDecoderKernels();
  private static final SweepKernels SWEEP = new ScalarSweepKernels();

  /** The kernels have no state. */
  public ScalarKernels() {}

  @Override
  public RangeSearchKernels rangeSearch() {
    return RANGE_SEARCH;
  }

  @Override
  public int absMaxBits(FloatType type, MemorySegment source, long sourceOffset, int n) {
    int max = 0;
    for (int i = 0; i < n; i++) {
      int bits = type.loadBits(source, sourceOffset + (long) i * type.bytes());
      max = Math.max(max, bits & type.signlessMask());
    }
    return max;
  }

  @Override
  public void quantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i++) {
      float x = type.load(source, sourceOffset + (long) i * type.bytes());
      target.set(JAVA_BYTE, targetOffset + i, quantizeE4M3(type, x, scale));
    }
  }

  /** One element of the bulk operation of the same name. */
  public static byte quantizeE4M3(FloatType type, float x, float scale) {
    float quotient = type.round(x / scale) + 0.0f;
    return Fp8E4M3.encode(quotient);
  }

  @Override
  public void dequantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i++) {
      float value = dequantizeE4M3(source.get(JAVA_BYTE, sourceOffset + i), scale);
      type.store(target, targetOffset + (long) i * type.bytes(), value);
    }
  }

  /** One element of the bulk operation of the same name, before it is rounded to its type. */
  public static float dequantizeE4M3(byte code, float scale) {
    return canonical(Fp8E4M3.decode(code) * scale);
  }

  @Override
  public void convert(
      FloatType from,
      MemorySegment source,
      long sourceOffset,
      int n,
      FloatType to,
      MemorySegment target,
      long targetOffset) {
    if (from == to) {
      long bytes = (long) n * from.bytes();
      MemorySegment.copy(source, sourceOffset, target, targetOffset, bytes);
      return;
    }
    for (int i = 0; i < n; i++) {
      float value = from.load(source, sourceOffset + (long) i * from.bytes());
      to.store(target, targetOffset + (long) i * to.bytes(), canonical(value));
    }
  }

  @Override
  public void addErrors(
      FloatType type,
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int n,
      float relativeBound,
      ErrorSums sums) {
    int whole = n - n % ERROR_LANES;
    for (int lane = 0; lane < ERROR_LANES; lane++) {
      float squaredError = 0;
      float squaredOriginal = 0;
      float absoluteError = 0;
      float absoluteOriginal = 0;
      for (int i = lane; i < whole; i += ERROR_LANES) {
        long at = (long) i * type.bytes();
        float x = type.load(original, originalOffset + at);
        float e = type.load(approximation, approximationOffset + at) - x;
        squaredError += e * e;
        squaredOriginal += x * x;
        absoluteError += Math.abs(e);
        absoluteOriginal += Math.abs(x);
        sums.maxError = Math.max(sums.maxError, Math.abs(e));
        sums.excess = Math.max(sums.excess, Math.abs(e) - relativeBound * Math.abs(x));
      }
      sums.squaredErrorLanes[lane] = squaredError;
      sums.squaredOriginalLanes[lane] = squaredOriginal;
      sums.absoluteErrorLanes[lane] = absoluteError;
      sums.absoluteOriginalLanes[lane] = absoluteOriginal;
    }
    sums.addLanes();
    addErrorTail(
        type,
        original,
        originalOffset,
        approximation,
        approximationOffset,
        whole,
        n,
        relativeBound,
        sums);
    sums.count += n;
  }

  /**
   * The elements from {@code begin} to {@code end}, which fill no row of lanes, one after the
   * other.
   */
  public static void addErrorTail(
      FloatType type,
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int begin,
      int end,
      float relativeBound,
      ErrorSums sums) {
    for (int i = begin; i < end; i++) {
      long at = (long) i * type.bytes();
      float x = type.load(original, originalOffset + at);
      float e = type.load(approximation, approximationOffset + at) - x;
      sums.squaredError += e * e;
      sums.squaredOriginal += x * x;
      sums.absoluteError += Math.abs(e);
      sums.absoluteOriginal += Math.abs(x);
      sums.maxError = Math.max(sums.maxError, Math.abs(e));
      sums.excess = Math.max(sums.excess, Math.abs(e) - relativeBound * Math.abs(x));
    }
  }

  @Override
  public Fp4Kernels fp4() {
    return FP4;
  }

  @Override
  public MaskKernels masks() {
    return MASKS;
  }

  @Override
  public PruneKernels pruning() {
    return PRUNING;
  }

  @Override
  public IntKernels integers() {
    return INTEGERS;
  }

  @Override
  public SparseKernels sparse() {
    return SPARSE;
  }

  @Override
  public LayoutKernels layouts() {
    return LAYOUTS;
  }

  @Override
  public MatrixKernels matrices() {
    return MATRICES;
  }

  @Override
  public DecoderKernels decoder() {
    return DECODER;
  }

  @Override
  public SweepKernels sweep() {
    return SWEEP;
  }

  /** The payload of a NaN that arithmetic produced differs between CPUs; a file may not. */
  public static float canonical(float value) {
    return Float.isNaN(value) ? Float.NaN : value;
  }
}
