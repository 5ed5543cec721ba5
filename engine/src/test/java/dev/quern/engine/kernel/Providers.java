package dev.quern.engine.kernel;

import org.junit.jupiter.api.Assumptions;

/** The two providers that twin tests compare, whichever of them this JVM would choose by itself. */
public final class Providers {
  /** The definition. */
  public static final Kernels SCALAR = new ScalarKernels();

  private Providers() {}

  /**
   * The SIMD provider. Where it cannot be had, the test fails, except in a run that expects the
   * scalar provider: there it is reported as aborted, with the reason.
   */
  public static Kernels vector() {
    try {
      return KernelChoice.choose("vector").kernels();
    } catch (IllegalStateException e) {
      Assumptions.assumeFalse(
          "scalar".equals(System.getProperty("quern.expectedProvider")), e.getMessage());
      throw e;
    }
  }
}
