package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** Tests run without a terminal, so these are the plain lines. */
class ProgressDisplayTest {
  private final StringWriter printed = new StringWriter();

  private ProgressDisplay display() {
    return ProgressDisplay.on(new PrintWriter(printed));
  }

  @Test
  void shortStagesAreALineEach() {
    try (ProgressDisplay display = display()) {
      display.stage("compress", 2_000_000_000);
      display.advance(1_000_000_000);
      display.advance(1_000_000_000);
      display.stage("verify", 500);
      display.advance(500);
    }
    assertThat(printed).hasToString("quern: compress 2.00 GB\nquern: verify 500 B\n");
  }

  @Test
  void longStagesSayEachTenth() {
    try (ProgressDisplay display = display()) {
      display.stage("compress", 100_000_000_000L);
      for (int i = 0; i < 50; i++) {
        display.advance(2_000_000_000);
      }
    }
    assertThat(printed.toString().lines())
        .containsExactly(
            "quern: compress 100 GB",
            "quern: compress 10 %",
            "quern: compress 20 %",
            "quern: compress 30 %",
            "quern: compress 40 %",
            "quern: compress 50 %",
            "quern: compress 60 %",
            "quern: compress 70 %",
            "quern: compress 80 %",
            "quern: compress 90 %");
    assertThat(printed.toString()).doesNotContain("\u001b").doesNotContain("\r");
  }

  @Test
  void emptyStageIsNoFault() {
    try (ProgressDisplay display = display()) {
      display.stage("verify", 0);
      display.advance(0);
    }
    assertThat(printed).hasToString("quern: verify 0 B\n");
  }
}
