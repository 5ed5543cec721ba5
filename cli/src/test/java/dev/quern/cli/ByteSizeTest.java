package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "17, 17",
    "17b, 17",
    "1k, 1000",
    "1kB, 1000",
    "1KiB, 1024",
    "1ki, 1024",
    "5G, 5000000000",
    "5gb, 5000000000",
    "5GiB, 5368709120",
    "0.5m, 500000",
    "1.5MiB, 1572864",
    "2T, 2000000000000",
    "2TiB, 2199023255552",
    "0.0001k, 0",
    "9000000T, 9000000000000000000",
    "' 3g ', 3000000000"
  })
  void reads(String text, long bytes) {
    assertThat(new ByteSize().convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "g",
        "-1",
        "-1g",
        "1 g",
        "1,5g",
        "1.g",
        ".5g",
        "1ib",
        "1i",
        "1x",
        "1e9",
        "0x10",
        "10000000T",
        "9999999999999999999",
        "١g",
        "NaN",
        "Infinity"
      })
  void refuses(String text) {
    assertThatThrownBy(() -> new ByteSize().convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage(
            "'"
                + text
                + "' is not a size; expected a number with K, M, G, T or KiB, MiB, GiB, TiB");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "999, 999 B",
    "1000, 1.00 kB",
    "9994, 9.99 kB",
    "9995, 10.0 kB",
    "99949, 99.9 kB",
    "99950, 100 kB",
    "999499, 999 kB",
    "999500, 1.00 MB",
    "5000000000, 5.00 GB",
    "9223372036854775807, 9.22 EB"
  })
  void writes(long bytes, String text) {
    assertThat(ByteSize.format(bytes)).isEqualTo(text);
  }
}
