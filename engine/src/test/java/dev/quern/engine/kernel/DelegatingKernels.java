package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** Hands every call on; for tests that watch one of them. */
abstract class DelegatingKernels implements Kernels {
  private final Kernels kernels;

  DelegatingKernels(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public RangeSearchKernels rangeSearch() {
    return kernels.rangeSearch();
  }

  @Override
  public int absMaxBits(FloatType type, MemorySegment source, long offset, int n) {
    return kernels.absMaxBits(type, source, offset, n);
  }

  @Override
  public void quantizeE4M3(
      FloatType type,
      MemorySegment source,
      long from,
      int n,
      float scale,
      MemorySegment target,
      long to) {
    kernels.quantizeE4M3(type, source, from, n, scale, target, to);
  }

  @Override
  public void dequantizeE4M3(
      FloatType type,
      MemorySegment source,
      long from,
      int n,
      float scale,
      MemorySegment target,
      long to) {
    kernels.dequantizeE4M3(type, source, from, n, scale, target, to);
  }

  @Override
  public void convert(
      FloatType type,
      MemorySegment source,
      long from,
      int n,
      FloatType into,
      MemorySegment target,
      long to) {
    kernels.convert(type, source, from, n, into, target, to);
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
    kernels.addErrors(
        type, original, originalOffset, approximation, approximationOffset, n, relativeBound, sums);
  }

  @Override
  public Fp4Kernels fp4() {
    return kernels.fp4();
  }

  @Override
  public MaskKernels masks() {
    return kernels.masks();
  }

  @Override
  public PruneKernels pruning() {
    return kernels.pruning();
  }

  @Override
  public IntKernels integers() {
    return kernels.integers();
  }

  @Override
  public SparseKernels sparse() {
    return kernels.sparse();
  }

  @Override
  public LayoutKernels layouts() {
    return kernels.layouts();
  }

  @Override
  public MatrixKernels matrices() {
    return kernels.matrices();
  }

  @Override
  public DecoderKernels decoder() {
    return kernels.decoder();
  }

  @Override
  public SweepKernels sweep() {
    return kernels.sweep();
  }
}
