package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What decoders compute between products, against the definition. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class DecoderTwinTest {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final int MOST = 100;
  private static final int NAN = 0x7FC0_0000;

  @Parameter Twin twin;

  /**
   * An operation on {@code a} and {@code b} that writes to {@code c}, which may hold a copy of a.
   */
  private record Operation(String name, int perElement, Call call) {}

  private interface Call {
    void run(DecoderKernels kernels, MemorySegment a, MemorySegment b, MemorySegment c, int n);
  }

  private static final List<Operation> ALL =
      List.of(
          new Operation("rmsNorm", 1, (k, a, b, c, n) -> k.rmsNorm(a, 4, b, 8, n, 1e-5f, c, 128)),
          new Operation(
              "rmsNorm in place", 1, (k, a, b, c, n) -> k.rmsNorm(c, 128, b, 8, n, 1e-5f, c, 128)),
          new Operation("exponentials", 1, (k, a, b, c, n) -> k.exponentials(c, 128, n)),
          new Operation("softCap", 1, (k, a, b, c, n) -> k.softCap(c, 128, n, 30)),
          new Operation("scale", 1, (k, a, b, c, n) -> k.scale(c, 128, n, 0.3f)),
          new Operation("add", 1, (k, a, b, c, n) -> k.add(b, 4, n, 0.7f, c, 128)),
          new Operation("rotate", 2, (k, a, b, c, n) -> k.rotate(c, 128, n, b, 4)),
          new Operation("siluGate", 1, (k, a, b, c, n) -> k.siluGate(a, 4, b, 8, n, c, 128)),
          new Operation(
              "siluGate in place", 1, (k, a, b, c, n) -> k.siluGate(c, 128, b, 8, n, c, 128)),
          new Operation(
              "geluTanhGate", 1, (k, a, b, c, n) -> k.geluTanhGate(a, 4, b, 8, n, c, 128)));

  /** Numbers of a usual size at every length, then every kind of number. */
  @Test
  void operationsEqualTheLawAtEveryLength() {
    SplittableRandom random = new SplittableRandom(71);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = arena.allocate(8L * MOST + 64, 64);
      MemorySegment b = arena.allocate(8L * MOST + 64, 64);
      Guarded found = new Guarded(arena, 8L * MOST);
      Guarded law = new Guarded(arena, 8L * MOST);
      for (Operation operation : ALL) {
        for (int n = 0; n < 2 * MOST; n++) {
          int length = n / 2;
          fill(n % 2 == 0, a, b, random);
          long bytes = 4L * length * operation.perElement();
          run(operation, twin.kernels(), a, b, found, length, bytes);
          run(operation, Twin.LAW, a, b, law, length, bytes);
          found.checkSurroundings(found.offset(), bytes, operation.name());
          compare(operation.name(), found.memory(), law.memory(), found.offset(), bytes);
          calls++;
        }
      }
    }
    assertThat(calls).isEqualTo(10 * 200);
  }

  private static void fill(
      boolean usual, MemorySegment a, MemorySegment b, SplittableRandom random) {
    if (usual) {
      Inputs.weights(FloatType.F32, a, 0, 40, random);
      Inputs.weights(FloatType.F32, b, 0, 2, random);
    } else {
      Inputs.anyBits(a, 0, random);
      Inputs.anyBits(b, 0, random);
    }
  }

  private static void run(
      Operation operation,
      Kernels kernels,
      MemorySegment a,
      MemorySegment b,
      Guarded target,
      int n,
      long bytes) {
    target.poison();
    MemorySegment.copy(a, 0, target.memory(), target.offset(), bytes);
    assertThat(target.offset()).isEqualTo(128);
    operation.call().run(kernels.decoder(), a, b, target.memory(), n);
  }

  private static void compare(
      String name, MemorySegment found, MemorySegment law, long offset, long bytes) {
    for (long at = offset; at < offset + bytes; at += 4) {
      int bits = withoutPayload(found.get(INT, at));
      int expected = withoutPayload(law.get(INT, at));
      if (bits != expected) {
        fail("%s: element %d is %08X, law %08X", name, (at - offset) / 4, bits, expected);
      }
    }
  }

  private static int withoutPayload(int bits) {
    return Float.isNaN(Float.intBitsToFloat(bits)) ? NAN : bits;
  }

  /** Sums are no memory; they are compared here. */
  @Test
  void sumsOfExponentialsEqualTheLaw() {
    SplittableRandom random = new SplittableRandom(72);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * MOST, 64);
      MemorySegment y = arena.allocate(4L * MOST, 64);
      for (int n = 0; n < MOST; n++) {
        Inputs.weights(FloatType.F32, x, 0, 20, random);
        y.copyFrom(x);
        float found = twin.kernels().decoder().exponentials(x, 0, n);
        float law = Twin.LAW.decoder().exponentials(y, 0, n);
        assertThat(Float.floatToIntBits(found)).isEqualTo(Float.floatToIntBits(law));
      }
    }
  }

  /** Through the gate exp meets every sign and size, through the cap tanh does. */
  @Test
  void functionsEqualTheLawOverAllMagnitudes() {
    int step = 4093;
    int n = 4096;
    long visited = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * n, 64);
      MemorySegment one = arena.allocate(4L * n, 64);
      MemorySegment found = arena.allocate(4L * n, 64);
      MemorySegment law = arena.allocate(4L * n, 64);
      for (int i = 0; i < n; i++) {
        one.set(INT, 4L * i, Float.floatToRawIntBits(1f));
      }
      for (long first = 0; first < 1L << 32; first += (long) step * n) {
        for (int i = 0; i < n; i++) {
          x.set(INT, 4L * i, (int) (first + (long) step * i));
        }
        twin.kernels().decoder().siluGate(x, 0, one, 0, n, found, 0);
        Twin.LAW.decoder().siluGate(x, 0, one, 0, n, law, 0);
        compare("siluGate", found, law, 0, 4L * n);
        found.copyFrom(x);
        law.copyFrom(x);
        twin.kernels().decoder().softCap(found, 0, n, 1);
        Twin.LAW.decoder().softCap(law, 0, n, 1);
        compare("softCap", found, law, 0, 4L * n);
        visited += n;
      }
    }
    assertThat(visited).isEqualTo(257L * 4096);
  }
}
