package dev.quern.engine.kernel;

import java.util.Locale;
import java.util.Objects;

/**
 * Which provider of {@link Kernels} runs in this JVM, and why.
 *
 * <p>The system property {@code quern.kernels} may be {@code auto} (the default), {@code vector} or
 * {@code scalar}. With {@code auto} a provider that would run badly is passed over with its reason,
 * never with an error: the scalar kernels give the same bytes, only slower. With {@code vector} the
 * reason becomes an error.
 *
 * @param provider {@code vector} or {@code scalar}
 * @param kernels the provider itself
 * @param vectorBits width of the preferred vector shape; 0 for scalar
 * @param reason why this provider and not another, one sentence
 */
public record KernelChoice(String provider, Kernels kernels, int vectorBits, String reason) {
  private static final String VECTOR_CLASS = "dev.quern.engine.kernel.vector.VectorKernels";

  /** Checks that no part is missing. */
  public KernelChoice {
    Objects.requireNonNull(provider);
    Objects.requireNonNull(kernels);
    Objects.requireNonNull(reason);
  }

  private static KernelChoice current;

  /**
   * The choice for this JVM, made once.
   *
   * @throws IllegalArgumentException when {@code quern.kernels} names no provider
   * @throws IllegalStateException when it is {@code vector}, which cannot be had here
   */
  public static synchronized KernelChoice current() {
    if (current == null) { // not in a static initializer, whose error would hide the sentence
      current = choose(wanted());
    }
    return current;
  }

  /** What runs where there are no vectors, and at the start of a JVM. */
  public static Kernels withoutVectors() {
    return new PlainKernels();
  }

  /**
   * Whether the vector loops of {@link #kernels()} should first prove that the compiler has made
   * them fast. Not so when there are none, or when they were asked for by name: then they run from
   * the first element on.
   */
  public boolean needsWarmUp() {
    return vectorBits != 0 && wanted().equalsIgnoreCase("auto");
  }

  private static String wanted() {
    return System.getProperty("quern.kernels", "auto");
  }

  static KernelChoice choose(String wanted) {
    switch (wanted.toLowerCase(Locale.ROOT)) {
      case "scalar":
        return scalar("asked for with -Dquern.kernels=scalar");
      case "auto", "vector":
        break;
      default:
        throw new IllegalArgumentException(
            "-Dquern.kernels=" + wanted + ": expected auto, vector or scalar");
    }
    String rejection = rejectJvm();
    KernelChoice vector = null;
    if (rejection == null) {
      try {
        vector = (KernelChoice) Class.forName(VECTOR_CLASS).getMethod("choice").invoke(null);
      } catch (NoClassDefFoundError e) {
        rejection =
            "the module jdk.incubator.vector is missing; start java with --add-modules"
                + " jdk.incubator.vector";
      } catch (ReflectiveOperationException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        rejection =
            cause instanceof NoClassDefFoundError
                ? "the module jdk.incubator.vector is missing; start java with --add-modules"
                    + " jdk.incubator.vector"
                : String.valueOf(cause.getMessage());
      }
    }
    if (vector != null) {
      return vector;
    }
    if (wanted.equalsIgnoreCase("vector")) {
      throw new IllegalStateException("-Dquern.kernels=vector cannot be had: " + rejection);
    }
    return scalar(rejection);
  }

  private static KernelChoice scalar(String reason) {
    return new KernelChoice("scalar", new PlainKernels(), 0, reason);
  }

  // Only HotSpot's C2 turns the Vector API into instructions; elsewhere it is hundreds of times
  // slower than a plain loop, and correct, so nobody would notice why.
  private static String rejectJvm() {
    String vm = System.getProperty("java.vm.name", "");
    String mode = System.getProperty("java.vm.info", "");
    if (!vm.contains("HotSpot") && !vm.contains("OpenJDK")) {
      return "the Vector API needs HotSpot's C2 compiler, and this JVM is " + vm;
    }
    if (System.getProperty("java.vm.version", "").contains("jvmci")) {
      return "the Vector API needs HotSpot's C2 compiler, and this JVM has a JVMCI compiler";
    }
    if (mode.contains("interpreted") || mode.contains("emulated-client")) {
      return "the Vector API needs HotSpot's C2 compiler, and this JVM runs in " + mode;
    }
    return null;
  }
}
