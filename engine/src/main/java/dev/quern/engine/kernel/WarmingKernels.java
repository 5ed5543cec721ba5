package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Plain kernels that turn into vector kernels one operation at a time, as soon as the compiler has
 * made those fast.
 *
 * <p>Until C2 has compiled a vector loop, each of its operations allocates objects: some thousand
 * times slower than compiled, for the first second of a JVM. Here the first call of an operation
 * starts its warm-up on a thread of its own, and callers get the plain loop, which gives the same
 * bits, until a probe finds the vector loop fast. Should the compiler fail on a loop, its operation
 * stays scalar.
 */
final class WarmingKernels implements Kernels {
  private static final int READY = 1;
  private static final long PATIENCE_SECONDS = 5;

  private static final int TYPES = FloatType.values().length;
  private static final int OPERATIONS = WarmUp.values().length;

  private final Kernels plain;
  private final Kernels vector;
  private final AtomicIntegerArray states = new AtomicIntegerArray(OPERATIONS * TYPES);
  private final Map<Integer, Future<?>> requests = new ConcurrentHashMap<>();
  private final ExecutorService warmer;

  WarmingKernels(Kernels plain, Kernels vector) {
    this.plain = plain;
    this.vector = vector;
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().name("quern-kernel-warm-up").daemon(true).factory());
    pool.allowCoreThreadTimeOut(true);
    this.warmer = pool;
  }

  @Override
  public void prepareToCompress(FloatType type) {
    Future<?> maxima = request(WarmUp.ABS_MAX, type);
    Future<?> codes = request(WarmUp.QUANTIZE_E4M3, type);
    request(WarmUp.DEQUANTIZE_E4M3, type);
    request(WarmUp.CONVERT_TO_F32, type);
    request(WarmUp.ADD_ERRORS, FloatType.F32);
    await(maxima, codes);
  }

  @Override
  public void prepareToCompare(FloatType type) {
    await(
        request(WarmUp.ABS_MAX, type),
        request(WarmUp.DEQUANTIZE_E4M3, type),
        request(WarmUp.CONVERT_TO_F32, type),
        request(WarmUp.ADD_ERRORS, FloatType.F32));
  }

  private static void await(Future<?>... requests) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    for (Future<?> request : requests) {
      try {
        request.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        return; // the plain loops do it meanwhile
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (ExecutionException e) {
        return; // the operation stays plain
      }
    }
  }

  private Future<?> request(WarmUp operation, FloatType type) {
    return requests.computeIfAbsent(
        slot(operation, type),
        slot ->
            warmer.submit(
                () -> {
                  if (operation.untilFast(vector, type)) {
                    states.set(slot, READY);
                  }
                }));
  }

  /** Whether calls of an operation go to the vector loop by now. */
  boolean isReady(WarmUp operation, FloatType type) {
    return states.get(slot(operation, type)) == READY;
  }

  private static int slot(WarmUp operation, FloatType type) {
    return operation.ordinal() * TYPES + type.ordinal();
  }

  private Kernels kernels(WarmUp operation, FloatType type) {
    if (states.get(slot(operation, type)) == READY) {
      return vector;
    }
    request(operation, type);
    return plain;
  }

  @Override
  public RangeSearchKernels rangeSearch() {
    return vector.rangeSearch();
  }

  @Override
  public int absMaxBits(FloatType type, MemorySegment source, long sourceOffset, int n) {
    return kernels(WarmUp.ABS_MAX, type).absMaxBits(type, source, sourceOffset, n);
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
    kernels(WarmUp.QUANTIZE_E4M3, type)
        .quantizeE4M3(type, source, sourceOffset, n, scale, target, targetOffset);
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
    kernels(WarmUp.DEQUANTIZE_E4M3, type)
        .dequantizeE4M3(type, source, sourceOffset, n, scale, target, targetOffset);
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
    kernels(WarmUp.convertTo(to), from)
        .convert(from, source, sourceOffset, n, to, target, targetOffset);
  }

  @Override
  public void addErrors(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int n,
      float relativeBound,
      ErrorSums sums) {
    kernels(WarmUp.ADD_ERRORS, FloatType.F32)
        .addErrors(
            original, originalOffset, approximation, approximationOffset, n, relativeBound, sums);
  }
}
