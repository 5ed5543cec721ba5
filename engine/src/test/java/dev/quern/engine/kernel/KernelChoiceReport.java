package dev.quern.engine.kernel;

/** Prints the choice of kernels, or why there is none; runs in JVMs that a test starts. */
final class KernelChoiceReport {
  private KernelChoiceReport() {}

  public static void main(String[] args) {
    try {
      KernelChoice choice = KernelChoice.current();
      System.out.println(choice.provider() + " " + choice.vectorBits() + ": " + choice.reason());
    } catch (RuntimeException e) {
      System.out.println(e);
    }
  }
}
