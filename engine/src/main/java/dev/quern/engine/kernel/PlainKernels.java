package dev.quern.engine.kernel;

import dev.quern.engine.numeric.Bf16;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp16;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Plain loops, shaped for speed: what runs where vectors cannot be had, and everywhere until the
 * compiler has made the vector loops fast. Each equals {@link ScalarKernels} bit for bit; what is
 * not shaped here is that class's own.
 *
 * <p>Elements pass through arrays in small pieces. Before a loop is compiled to the end, an access
 * to a segment costs a hundred times one to an array, and compiled, C2 makes array loops wide by
 * itself.
 */
final class PlainKernels implements Kernels {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int PIECE = 2048;
  private static final float[] DECODED = decoded();
  private static final ThreadLocal<Arrays> ARRAYS = ThreadLocal.withInitial(Arrays::new);

  private static final LayoutKernels LAYOUTS = new BlockedLayoutKernels();
  private static final SparseKernels SPARSE = new PlainSparseKernels();
  private static final PruneKernels PRUNING = new PlainPruneKernels();

  private final ScalarKernels law = new ScalarKernels();

  private static final class Arrays {
    final short[] shorts = new short[PIECE];
    final byte[] bytes = new byte[PIECE];
    final int[] ints = new int[PIECE];
    final float[] original = new float[PIECE];
    final float[] error = new float[PIECE];
  }

  @Override
  public RangeSearchKernels rangeSearch() {
    return law.rangeSearch();
  }

  @Override
  public int absMaxBits(FloatType type, MemorySegment source, long sourceOffset, int n) {
    int[] words = ARRAYS.get().ints;
    int perWord = Integer.BYTES / type.bytes();
    int wholeWords = n / perWord;
    int max = 0;
    for (long done = 0; done < wholeWords; done += PIECE) {
      int m = (int) Math.min(PIECE, wholeWords - done);
      MemorySegment.copy(source, INT, sourceOffset + 4L * done, words, 0, m);
      max = Math.max(max, type == FloatType.F32 ? absMax(words, m) : absMaxOfPairs(words, m));
    }
    for (int i = wholeWords * perWord; i < n; i++) {
      max = Math.max(max, type.loadBits(source, sourceOffset + 2L * i) & type.signlessMask());
    }
    return max;
  }

  private static int absMax(int[] x, int n) {
    int max = 0;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, x[i] & 0x7FFF_FFFF);
    }
    return max;
  }

  /** Of two 16-bit elements in each word, the odd one left where it is. */
  private static int absMaxOfPairs(int[] x, int n) {
    int even = 0;
    int odd = 0;
    for (int i = 0; i < n; i++) {
      even = Math.max(even, x[i] & 0x7FFF);
      odd = Math.max(odd, x[i] & 0x7FFF_0000);
    }
    return Math.max(even, odd >>> 16);
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
    if (type != FloatType.BF16 || !Bf16QuotientTable.covers(scale)) {
      law.quantizeE4M3(type, source, sourceOffset, n, scale, target, targetOffset);
      return;
    }
    Arrays arrays = ARRAYS.get();
    for (long done = 0; done < n; done += PIECE) {
      int m = (int) Math.min(PIECE, n - done);
      MemorySegment.copy(source, SHORT, sourceOffset + 2L * done, arrays.shorts, 0, m);
      Bf16QuotientTable.codes(arrays.shorts, m, scale, arrays.bytes);
      MemorySegment.copy(arrays.bytes, 0, target, ValueLayout.JAVA_BYTE, targetOffset + done, m);
    }
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
    if (type != FloatType.BF16) {
      law.dequantizeE4M3(type, source, sourceOffset, n, scale, target, targetOffset);
      return;
    }
    Arrays arrays = ARRAYS.get();
    for (long done = 0; done < n; done += PIECE) {
      int m = (int) Math.min(PIECE, n - done);
      MemorySegment.copy(source, ValueLayout.JAVA_BYTE, sourceOffset + done, arrays.bytes, 0, m);
      dequantize(arrays.bytes, m, scale, arrays.shorts);
      MemorySegment.copy(arrays.shorts, 0, target, SHORT, targetOffset + 2L * done, m);
    }
  }

  private static void dequantize(byte[] codes, int n, float scale, short[] values) {
    for (int i = 0; i < n; i++) {
      float value = DECODED[codes[i] & 0xFF] * scale;
      values[i] = Bf16.encode(ScalarKernels.canonical(value));
    }
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
    if (from != FloatType.BF16 || to != FloatType.F32) {
      law.convert(from, source, sourceOffset, n, to, target, targetOffset);
      return;
    }
    Arrays arrays = ARRAYS.get();
    for (long done = 0; done < n; done += PIECE) {
      int m = (int) Math.min(PIECE, n - done);
      MemorySegment.copy(source, SHORT, sourceOffset + 2L * done, arrays.shorts, 0, m);
      widen(arrays.shorts, m, arrays.ints);
      MemorySegment.copy(arrays.ints, 0, target, INT, targetOffset + 4L * done, m);
    }
  }

  private static void widen(short[] bf16, int n, int[] bits) {
    for (int i = 0; i < n; i++) {
      int wide = bf16[i] << 16;
      bits[i] = (wide & 0x7FFF_FFFF) > 0x7F80_0000 ? 0x7FC0_0000 : wide;
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
    Arrays arrays = ARRAYS.get();
    int whole = n - n % ScalarKernels.ERROR_LANES;
    sums.clearLanes();
    for (long done = 0; done < whole; done += PIECE) {
      int m = (int) Math.min(PIECE, whole - done);
      long at = done * type.bytes();
      load(type, original, originalOffset + at, m, arrays, arrays.original);
      load(type, approximation, approximationOffset + at, m, arrays, arrays.error);
      subtract(arrays.error, arrays.original, m);
      addLanes(arrays.original, arrays.error, m, sums);
      extremes(arrays.original, arrays.error, m, relativeBound, sums);
    }
    sums.addLanes();
    ScalarKernels.addErrorTail(
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

  private static void load(
      FloatType type, MemorySegment source, long offset, int n, Arrays arrays, float[] values) {
    if (type == FloatType.F32) {
      MemorySegment.copy(source, INT, offset, arrays.ints, 0, n);
      for (int i = 0; i < n; i++) {
        values[i] = Float.intBitsToFloat(arrays.ints[i]);
      }
      return;
    }
    MemorySegment.copy(source, SHORT, offset, arrays.shorts, 0, n);
    if (type == FloatType.BF16) {
      for (int i = 0; i < n; i++) {
        values[i] = Bf16.decode(arrays.shorts[i]);
      }
    } else {
      for (int i = 0; i < n; i++) {
        values[i] = Fp16.decode(arrays.shorts[i]);
      }
    }
  }

  @Override
  public Fp4Kernels fp4() {
    return law.fp4();
  }

  @Override
  public MaskKernels masks() {
    return law.masks();
  }

  @Override
  public PruneKernels pruning() {
    return PRUNING;
  }

  @Override
  public IntKernels integers() {
    return law.integers();
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
    return law.matrices();
  }

  @Override
  public DecoderKernels decoder() {
    return law.decoder();
  }

  @Override
  public SweepKernels sweep() {
    return law.sweep();
  }

  private static void subtract(float[] from, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      from[i] -= x[i];
    }
  }

  private static void addLanes(float[] x, float[] e, int n, ErrorSums sums) {
    float[] squaredError = sums.squaredErrorLanes;
    float[] squaredOriginal = sums.squaredOriginalLanes;
    float[] absoluteError = sums.absoluteErrorLanes;
    float[] absoluteOriginal = sums.absoluteOriginalLanes;
    for (int i = 0; i < n; i += ScalarKernels.ERROR_LANES) {
      for (int lane = 0; lane < ScalarKernels.ERROR_LANES; lane++) {
        squaredError[lane] += e[i + lane] * e[i + lane];
        squaredOriginal[lane] += x[i + lane] * x[i + lane];
        absoluteError[lane] += Math.abs(e[i + lane]);
        absoluteOriginal[lane] += Math.abs(x[i + lane]);
      }
    }
  }

  private static void extremes(float[] x, float[] e, int n, float relativeBound, ErrorSums sums) {
    float max = sums.maxError;
    float excess = sums.excess;
    for (int i = 0; i < n; i++) {
      float error = Math.abs(e[i]);
      max = Math.max(max, error);
      excess = Math.max(excess, error - relativeBound * Math.abs(x[i]));
    }
    sums.maxError = max;
    sums.excess = excess;
  }

  private static float[] decoded() {
    float[] values = new float[256];
    for (int code = 0; code < values.length; code++) {
      values[code] = Fp8E4M3.decode((byte) code);
    }
    return values;
  }
}
