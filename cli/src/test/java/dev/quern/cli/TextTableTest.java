package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextTableTest {
  @Test
  void columnsAreAsWideAsTheirWidestCell() {
    TextTable table = new TextTable("name", "what", " bytes");
    table.row("a", "norm", "7").row("model.b", "x", "12345");

    assertThat(table.toString())
        .isEqualTo(
            """
            name     what  bytes
            a        norm      7
            model.b  x     12345
            """);
  }

  @Test
  void headingAloneIsATable() {
    assertThat(new TextTable("one", " two").toString()).isEqualTo("one  two\n");
  }

  @Test
  void controlCharactersDoNotReachTheTerminal() {
    assertThat(new TextTable("name").row("a\u001b[31m\nb\u009bc").toString())
        .isEqualTo("name\na?[31m?b?c\n");
    assertThat(TextTable.printable("größe 😀")).isEqualTo("größe 😀");
  }
}
