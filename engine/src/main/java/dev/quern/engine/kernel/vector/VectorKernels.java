package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.kernel.Fp4Kernels;
import dev.quern.engine.kernel.IntKernels;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.LayoutKernels;
import dev.quern.engine.kernel.MaskKernels;
import dev.quern.engine.kernel.MatrixKernels;
import dev.quern.engine.kernel.PlainSparseKernels;
import dev.quern.engine.kernel.PruneKernels;
import dev.quern.engine.kernel.RangeSearchKernels;
import dev.quern.engine.kernel.SparseKernels;
import dev.quern.engine.kernel.SweepKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * The SIMD provider: sends each operation and type to the loop that was written for it.
 *
 * <p>One loop a type, with constant species and operators, because C2 turns a vector loop into
 * instructions only when both are constants in it.
 */
public final class VectorKernels implements Kernels {
  private static final DecoderKernels DECODER = new VectorDecoderKernels();
  private static final IntKernels INTEGERS = new VectorIntKernels();
  private static final LayoutKernels LAYOUTS = new VectorLayoutKernels();
  private static final SparseKernels SPARSE = new PlainSparseKernels();
  private static final MaskKernels MASKS = new VectorMaskKernels();
  private static final PruneKernels PRUNING = new VectorPruneKernels();
  private static final SweepKernels SWEEP = new VectorSweepKernels();
  private static final MatrixKernels MATRICES = new VectorMatrixKernels();
  private static final RangeSearchKernels RANGE_SEARCH = new VectorRangeSearch(true);
  private static final RangeSearchKernels SPARING_SEARCH = new VectorRangeSearch(false);

  private final Fp4Kernels fp4 = new VectorFp4Kernels(this);

  private final RangeSearchKernels rangeSearch;

  private VectorKernels(RangeSearchKernels rangeSearch) {
    this.rangeSearch = rangeSearch;
  }

  /**
   * This provider with its reason, found by name from the choice of kernels.
   *
   * @throws UnsupportedOperationException with a sentence why it would run badly on this machine
   */
  public static KernelChoice choice() {
    int bits = Shapes.F.vectorBitSize();
    String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    if (Shapes.I.vectorBitSize() < 256) {
      throw new UnsupportedOperationException(
          "the kernels need vectors of 256 bits or more (AVX2 or AVX-512), and this "
              + arch
              + " JVM offers "
              + Shapes.I.vectorBitSize()
              + " bits for integers");
    }
    return new KernelChoice(
        "vector",
        new VectorKernels(RANGE_SEARCH),
        bits,
        "jdk.incubator.vector on " + arch + " with vectors of " + bits + " bits");
  }

  @Override
  public RangeSearchKernels rangeSearch() {
    return rangeSearch;
  }

  @Override
  public Kernels sparing() {
    return new VectorKernels(SPARING_SEARCH);
  }

  @Override
  public int absMaxBits(FloatType type, MemorySegment source, long sourceOffset, int n) {
    return switch (type) {
      case BF16 -> AbsMaxVectors.shorts(source, sourceOffset, n);
      case F16 -> AbsMaxVectors.shorts(source, sourceOffset, n);
      case F32 -> AbsMaxVectors.ints(source, sourceOffset, n);
    };
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
    switch (type) {
      case BF16 -> {
        boolean done =
            E4M3QuantizeBf16.reciprocalIsExact(scale)
                && E4M3QuantizeBf16.quantize(source, sourceOffset, n, scale, target, targetOffset);
        if (!done) {
          E4M3QuantizeVectors.bf16(source, sourceOffset, n, scale, target, targetOffset);
        }
      }
      case F16 -> E4M3QuantizeVectors.f16(source, sourceOffset, n, scale, target, targetOffset);
      case F32 -> E4M3QuantizeVectors.f32(source, sourceOffset, n, scale, target, targetOffset);
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
    switch (type) {
      case BF16 -> E4M3DequantizeVectors.bf16(source, sourceOffset, n, scale, target, targetOffset);
      case F16 -> E4M3DequantizeVectors.f16(source, sourceOffset, n, scale, target, targetOffset);
      case F32 -> E4M3DequantizeVectors.f32(source, sourceOffset, n, scale, target, targetOffset);
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
    if (from == to) {
      long bytes = (long) n * from.bytes();
      MemorySegment.copy(source, sourceOffset, target, targetOffset, bytes);
      return;
    }
    switch (from) {
      case BF16 -> {
        if (to == FloatType.F32) {
          ConvertVectors.bf16ToF32(source, sourceOffset, n, target, targetOffset);
        } else {
          ConvertVectors.bf16ToF16(source, sourceOffset, n, target, targetOffset);
        }
      }
      case F16 -> {
        if (to == FloatType.F32) {
          ConvertVectors.f16ToF32(source, sourceOffset, n, target, targetOffset);
        } else {
          ConvertVectors.f16ToBf16(source, sourceOffset, n, target, targetOffset);
        }
      }
      case F32 -> {
        if (to == FloatType.BF16) {
          ConvertVectors.f32ToBf16(source, sourceOffset, n, target, targetOffset);
        } else {
          ConvertVectors.f32ToF16(source, sourceOffset, n, target, targetOffset);
        }
      }
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
    ErrorVectors.add(
        type, original, originalOffset, approximation, approximationOffset, n, relativeBound, sums);
  }

  @Override
  public Fp4Kernels fp4() {
    return fp4;
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
}
