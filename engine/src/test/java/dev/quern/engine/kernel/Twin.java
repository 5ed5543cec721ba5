package dev.quern.engine.kernel;

import org.junit.jupiter.api.Assumptions;

/**
 * The providers that twin tests compare with the definition, whichever of them this JVM would
 * choose by itself.
 */
public enum Twin {
  VECTOR {
    @Override
    public Kernels kernels() {
      try {
        return KernelChoice.choose("vector").kernels();
      } catch (IllegalStateException e) {
        Assumptions.assumeFalse(
            "scalar".equals(System.getProperty("quern.expectedProvider")), e.getMessage());
        throw e;
      }
    }
  },
  PLAIN {
    @Override
    public Kernels kernels() {
      return new PlainKernels();
    }
  };

  /** The definition. */
  public static final Kernels LAW = new ScalarKernels();

  /**
   * The provider. Where vectors cannot be had, the test fails, except in a run that expects the
   * scalar provider: there it is reported as aborted, with the reason.
   */
  public abstract Kernels kernels();
}
