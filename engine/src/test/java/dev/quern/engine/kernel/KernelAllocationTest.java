package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A compiled call allocates nothing. A vector that C2 could not keep in a register is an object, so
 * this finds operations without an instruction, species that are no constants, and vectors that
 * cross a call.
 *
 * <p>C2 takes the class of what a loop hands on from profiles that all code of a JVM shares, and
 * hundreds of kernels one after the other, the scalar law between them, are no program's profile:
 * which kernel loses by that differs from run to run. So this class is the first in its JVM, and
 * the few kernels that allocate among the others are run again, each alone in a JVM of its own.
 */
@Order(1)
@Tag("twin")
class KernelAllocationTest {
  private static final int ELEMENTS = 32 * 5 + 7; // five of the widest vectors, and a tail
  private static final int CALLS = 10_000;
  private static final int MIN_ROUNDS = 3;
  private static final int MAX_ROUNDS = 200;
  private static final int MAX_RETRIED = 8;
  private static final List<String> RETRIED = new ArrayList<>();
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private interface Call {
    void run(Kernels kernels);
  }

  private record Kernel(String name, Call call) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> kernels() {
    // For the life of the JVM: the calls below hold it.
    Arena arena = Arena.ofAuto();
    SplittableRandom random = new SplittableRandom(30);
    List<Kernel> all = new ArrayList<>();
    for (BulkOperation operation : BulkOperation.all()) {
      MemorySegment source = arena.allocate(4 * ELEMENTS, 64);
      MemorySegment target = arena.allocate(4 * ELEMENTS, 64);
      operation.input().fill(source, 0, random);
      all.add(
          new Kernel(
              operation.name(),
              kernels -> operation.call().run(kernels, source, 0, ELEMENTS, target, 0)));
    }
    MemorySegment numbers = arena.allocate(4 * ELEMENTS, 64);
    Inputs.weights(FloatType.F32, numbers, 0, 1f, random);
    for (FloatType type : FloatType.values()) {
      int[] sink = new int[1];
      all.add(
          new Kernel(
              "absMaxBits " + type,
              kernels -> sink[0] += kernels.absMaxBits(type, numbers, 0, ELEMENTS)));
    }
    for (FloatType type : FloatType.values()) {
      integers(all, type, IntGroups.symmetric(4, 32, 6), numbers, arena);
      integers(all, type, IntGroups.asymmetric(4, ELEMENTS, 1), numbers, arena);
      integers(all, type, IntGroups.asymmetric(7, ELEMENTS, 1), numbers, arena);
    }
    for (FloatType type : FloatType.values()) {
      fp4(all, type, 16, 0x1.8p-9f, numbers, arena);
      fp4(all, type, 32, 0x1p-9f, numbers, arena);
    }
    for (FloatType type : FloatType.values()) {
      pruning(all, type, numbers, arena);
    }
    decoder(all, numbers, arena);
    masks(all, numbers, arena);
    ErrorSums sums = new ErrorSums();
    for (FloatType type : FloatType.values()) {
      all.add(
          new Kernel(
              "addErrors " + type,
              kernels ->
                  kernels.addErrors(type, numbers, 0, numbers, 4, ELEMENTS - 1, 0.1f, sums)));
    }
    matrices(all, arena);
    return Stream.of("VECTOR", "PLAIN", "LAW")
        .flatMap(provider -> all.stream().map(kernel -> Arguments.of(provider, kernel)));
  }

  private static void matrices(List<Kernel> all, Arena arena) {
    int depth = 16;
    MemorySegment a = arena.allocate(1 << 14, 64);
    MemorySegment b = arena.allocate(1 << 14, 64);
    MemorySegment c = arena.allocate(1 << 14, 64);
    Inputs.weights(FloatType.F32, a, 0, 1f, new SplittableRandom(31));
    Inputs.weights(FloatType.F32, b, 0, 1f, new SplittableRandom(32));
    all.add(
        new Kernel(
            "multiply", kernels -> kernels.matrices().multiply(a, 0, b, 0, depth, c, 0, 256)));
    for (FloatType type : FloatType.values()) {
      all.add(
          new Kernel(
              "pack " + type,
              kernels -> {
                MatrixKernels matrices = kernels.matrices();
                int rows = matrices.tileRows();
                int columns = matrices.tileColumns();
                int bytes = type.bytes();
                matrices.pack(type, a, 0, bytes, 256, rows, rows, depth, false, c, 0);
                matrices.pack(type, a, 0, 256, bytes, rows, rows, depth, true, c, 0);
                matrices.pack(type, a, 0, bytes, 256, columns, columns, depth, false, c, 0);
                matrices.pack(type, a, 0, 256, bytes, columns, columns, depth, true, c, 0);
              }));
    }
    all.add(
        new Kernel(
            "triangles",
            kernels -> {
              MatrixKernels matrices = kernels.matrices();
              matrices.solveTile(a, 0, b, 0, matrices.tileRows(), c, 0);
              matrices.addCompensated(a, 0, b, 0, c, 0, 37);
              for (int i = 0; i < 5; i++) {
                FloatType.F32.store(c, 192L * i + 4 * i, 100); // else there is no factor
              }
              matrices.factorUpper(c, 0, 192, 5);
            }));
  }

  private static void integers(
      List<Kernel> all, FloatType type, IntGroups groups, MemorySegment numbers, Arena arena) {
    String what = type + ", " + groups.bits() + " bits, groups of " + groups.groupSize();
    MemorySegment codes = arena.allocate(ELEMENTS, 64);
    MemorySegment packed = arena.allocate(IntKernels.packedBytes(ELEMENTS, groups.bits()), 64);
    MemorySegment target = arena.allocate(4 * ELEMENTS, 64);
    Arrays.fill(groups.scales(), 0x1p-9f);
    float[] min = new float[groups.scales().length];
    float[] max = new float[groups.scales().length];
    int[] bits = new int[groups.scales().length];
    all.add(
        new Kernel(
            "ranges " + what,
            kernels -> {
              IntKernels ints = kernels.integers();
              ints.absMax(type, numbers, 0, ELEMENTS, groups.groupSize(), bits);
              ints.range(type, numbers, 0, ELEMENTS, groups.groupSize(), min, max);
            }));
    all.add(
        new Kernel(
            "quantize " + what,
            kernels -> kernels.integers().quantize(type, numbers, 0, ELEMENTS, groups, codes, 0)));
    all.add(
        new Kernel(
            "quantizePacked " + what,
            kernels ->
                kernels.integers().quantizePacked(type, numbers, 0, ELEMENTS, groups, packed, 0)));
    all.add(
        new Kernel(
            "dequantize " + what,
            kernels -> kernels.integers().dequantize(type, codes, 0, ELEMENTS, groups, target, 0)));
    all.add(
        new Kernel(
            "dequantizePacked " + what,
            kernels ->
                kernels.integers().dequantizePacked(type, packed, 0, ELEMENTS, groups, target, 0)));
  }

  private static void fp4(
      List<Kernel> all,
      FloatType type,
      int groupSize,
      float scale,
      MemorySegment numbers,
      Arena arena) {
    String what = type + ", groups of " + groupSize + " times " + scale;
    int n = ELEMENTS / groupSize * groupSize;
    MemorySegment codes = arena.allocate(ELEMENTS, 64);
    MemorySegment target = arena.allocate(4 * ELEMENTS, 64);
    float[] scales = new float[n / groupSize];
    Arrays.fill(scales, scale);
    int[] bits = new int[n / groupSize];
    boolean powerOfTwo = groupSize == 32;
    all.add(
        new Kernel(
            "quantize FP4 " + what,
            kernels -> {
              Fp4Kernels fp4 = kernels.fp4();
              fp4.groupAbsMaxBits(type, numbers, 0, n, groupSize, bits);
              fp4.quantizeE2M1(type, numbers, 0, n, groupSize, scales, powerOfTwo, codes, 0);
            }));
    if (powerOfTwo) {
      MemorySegment scaleCodes = arena.allocate(n / groupSize, 64);
      all.add(
          new Kernel(
              "quantize MX " + type,
              kernels -> {
                Fp4Kernels fp4 = kernels.fp4();
                fp4.quantizeMxfp4(type, numbers, 0, n, codes, 0, scaleCodes, 0, bits, scales);
                fp4.quantizeMxfp8(type, numbers, 0, n, codes, 0, scaleCodes, 0, bits, scales);
              }));
    }
    all.add(
        new Kernel(
            "dequantize FP4 " + what,
            kernels ->
                kernels.fp4().dequantizeE2M1(type, codes, 0, n, groupSize, scales, target, 0)));
    all.add(
        new Kernel(
            "groups of FP8 " + what,
            kernels -> {
              Fp4Kernels fp4 = kernels.fp4();
              fp4.quantizeE4M3(type, numbers, 0, n, groupSize, scales, codes, 0);
              fp4.dequantizeE4M3(type, codes, 0, n, groupSize, scales, target, 0);
            }));
  }

  private static void pruning(
      List<Kernel> all, FloatType type, MemorySegment numbers, Arena arena) {
    int n = ELEMENTS / 8 * 8;
    MemorySegment target = arena.allocate(4 * ELEMENTS, 64);
    float[] columnScales = new float[ELEMENTS];
    Arrays.fill(columnScales, 0.5f);
    int[] counts = new int[1 << 8];
    int threshold = type.encode(0.25f);
    for (int groupSize : new int[] {4, 8}) {
      all.add(
          new Kernel(
              "pruneGroups " + type + ", groups of " + groupSize,
              kernels -> {
                PruneKernels prune = kernels.pruning();
                int half = groupSize / 2;
                prune.pruneGroups(type, numbers, 0, n, half, groupSize, target, 0);
                prune.pruneGroupsByScore(
                    type, numbers, 0, numbers, 0, n, half, groupSize, target, 0);
              }));
    }
    all.add(
        new Kernel(
            "pruneBelow " + type,
            kernels -> {
              PruneKernels prune = kernels.pruning();
              prune.pruneBelow(type, numbers, 0, ELEMENTS, threshold, target, 0);
              prune.pruneBelowByScore(type, numbers, 0, numbers, 0, ELEMENTS, 1, target, 0);
            }));
    all.add(
        new Kernel(
            "scores and counts " + type,
            kernels -> {
              PruneKernels prune = kernels.pruning();
              prune.scores(type, numbers, 0, ELEMENTS, columnScales, target, 0);
              counts[0] += prune.countEqual(type, numbers, 0, ELEMENTS, threshold);
              prune.countDigits(type, numbers, 0, ELEMENTS, 4, 8, 2, counts);
            }));
  }

  private static void decoder(List<Kernel> all, MemorySegment numbers, Arena arena) {
    MemorySegment x = arena.allocate(4 * ELEMENTS, 64);
    x.copyFrom(numbers);
    all.add(
        new Kernel(
            "norm and residual",
            kernels -> {
              DecoderKernels decoder = kernels.decoder();
              decoder.rmsNorm(x, 0, numbers, 0, ELEMENTS, 1e-5f, x, 0);
              decoder.add(numbers, 0, ELEMENTS, 0.5f, x, 0);
              decoder.scale(x, 0, ELEMENTS, 0.5f);
              decoder.rotate(x, 0, ELEMENTS / 2, numbers, 0);
            }));
    all.add(new Kernel("softmax", kernels -> kernels.decoder().exponentials(x, 0, ELEMENTS)));
    all.add(new Kernel("softCap", kernels -> kernels.decoder().softCap(x, 0, ELEMENTS, 5)));
    all.add(
        new Kernel(
            "gates",
            kernels -> {
              DecoderKernels decoder = kernels.decoder();
              decoder.siluGate(numbers, 0, numbers, 0, ELEMENTS, x, 0);
              decoder.geluTanhGate(numbers, 0, numbers, 0, ELEMENTS, x, 0);
            }));
  }

  private static void masks(List<Kernel> all, MemorySegment numbers, Arena arena) {
    int n = ELEMENTS / 4;
    MemorySegment scores = arena.allocate(4 * ELEMENTS, 64);
    MemorySegment mask = arena.allocate(4 * ELEMENTS, 64);
    all.add(
        new Kernel(
            "masks",
            kernels -> {
              MaskKernels masks = kernels.masks();
              masks.scores(numbers, 0, ELEMENTS, 3f, scores, 0);
              masks.smallest(numbers, 0, 4L * n, 4, n, 2, mask, 0, n);
              masks.below(numbers, 0, ELEMENTS, 5, mask, 0);
              masks.apply(numbers, 0, mask, 0, ELEMENTS, scores, 0);
            }));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("kernels")
  void aCallAllocatesNothing(String provider, Kernel kernel) throws Exception {
    Kernels kernels = provider(provider);
    assertThat(THREADS.isThreadAllocatedMemoryEnabled()).isTrue();
    long bytes = allocated(kernel, kernels);
    if (bytes == 0) {
      return;
    }
    RETRIED.add(provider + " " + kernel);
    assertThat(RETRIED).as("kernels that allocate among others").hasSizeLessThan(MAX_RETRIED);
    assertThat(KernelAllocationReport.inOwnProcess(provider, kernel.name()))
        .as("bytes in %d calls of %s alone in its JVM", CALLS, kernel)
        .isZero();
  }

  /** What a round of calls allocates once it allocates no less; 0 is the aim. */
  static long allocated(String provider, String kernel) {
    Kernel wanted =
        kernels()
            .map(arguments -> (Kernel) arguments.get()[1])
            .filter(candidate -> candidate.name().equals(kernel))
            .findFirst()
            .orElseThrow();
    return allocated(wanted, provider(provider));
  }

  private static Kernels provider(String name) {
    return name.equals("LAW") ? Twin.LAW : Twin.valueOf(name).kernels();
  }

  private static long allocated(Kernel kernel, Kernels kernels) {
    long bytes = 0;
    for (int round = 1; round <= MAX_ROUNDS; round++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      repeat(kernel.call(), kernels);
      bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
      if (bytes == 0 && round >= MIN_ROUNDS) {
        break;
      }
    }
    return bytes;
  }

  private static void repeat(Call call, Kernels kernels) {
    for (int i = 0; i < CALLS; i++) {
      call.run(kernels);
    }
  }
}
