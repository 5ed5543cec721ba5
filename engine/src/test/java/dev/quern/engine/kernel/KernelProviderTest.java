package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Says which kernels a test run tests, and fails when they are not the ones it is meant to. */
@Tag("twin")
class KernelProviderTest {
  @Test
  void thisRunHasTheExpectedProvider() {
    KernelChoice choice = KernelChoice.current();
    System.out.println("Kernels in this run: " + choice.provider() + ", " + choice.reason());
    String expected = System.getProperty("quern.expectedProvider"); // absent in an IDE
    if (expected != null) {
      assertThat(choice.provider()).as(choice.reason()).isEqualTo(expected);
    }
  }
}
