package dev.quern.engine.quantization.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.numeric.FloatType;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ObserverSettingsTest {
  @ParameterizedTest
  @CsvSource({
    "memoryless_minmax, MINMAX, 0",
    "static_minmax, MINMAX, 0",
    "minmax, MINMAX, 0",
    "memoryless_mse, MSE, 20",
    "memoryless-mse, MSE, 20",
    "mse, MSE, 20",
    "nvfp4_expanded_mse, MSE, 111",
    "exact, EXACT, 299",
  })
  void namesOfTheReference(String name, ObserverSettings.Kind kind, int steps) {
    ObserverSettings settings = ObserverSettings.of(name);
    assertThat(settings.kind()).isEqualTo(kind);
    assertThat(settings.name()).isEqualTo(name.replace('-', '_'));
    assertThat(settings.search(FloatType.BF16, CandidateFormat.E2M1).steps()).isEqualTo(steps);
  }

  @Test
  void settingsOfTheReference() {
    ObserverSettings mse = ObserverSettings.of("mse");
    assertThat(mse.maxshrink()).isEqualTo(0.20);
    assertThat(mse.patience()).isEqualTo(5);
    assertThat(mse.grid()).isEqualTo(100);
    assertThat(mse.norm()).isEqualTo(2.4);
    assertThat(mse.expand()).isEqualTo(1);
    ObserverSettings changed =
        ObserverSettings.of("mse", Map.of("norm", 2.0, "patience", 7.0, "chunk_size", 5.0));
    assertThat(changed.norm()).isEqualTo(2);
    assertThat(changed.patience()).isEqualTo(7);
    assertThat(changed.name()).isEqualTo("mse");
  }

  @ParameterizedTest
  @CsvSource({
    "static_mse, There is no static_mse; use memoryless_mse",
    "imatrix_mse, no calibration",
    "memoryles_mse, Use memoryless_mse",
    "min_max, Use minmax",
  })
  void unknownNamesGetAWord(String name, String remedy) {
    ObserverException e = refused(name, Map.of());
    assertThat(e.key()).isEqualTo("observer");
    assertThat(e.found()).isEqualTo(name);
    assertThat(e.expected()).contains("memoryless_mse", "nvfp4_expanded_mse");
    assertThat(e.remedy()).contains(remedy);
  }

  @ParameterizedTest
  @CsvSource({
    "maxshrink, -0.1",
    "maxshrink, 1.5",
    "maxshrink, NaN",
    "patience, -1",
    "patience, 2.5",
    "grid, 0",
    "grid, 1e9",
    "grid, 100000",
    "norm, 0",
    "norm, Infinity",
    "expand, 0.9",
    "averaging_constant, 0",
    "shrink, 0.2",
  })
  void badSettingsAreNamed(String key, double value) {
    ObserverException e = refused("memoryless_mse", Map.of(key, value));
    assertThat(e.key()).isEqualTo(key);
    assertThat(e.getMessage()).contains("expected", "found");
    assertThat(e.remedy()).contains(key);
  }

  @Test
  void minMaxHasNothingToSearch() {
    assertThat(refused("minmax", Map.of("norm", 2.0)).key()).isEqualTo("norm");
    assertThat(ObserverSettings.of("minmax", Map.of("averaging_constant", 0.01)).isSearch())
        .isFalse();
  }

  @Test
  void whatASearchMayCutOff() {
    assertThat(ObserverSettings.of("minmax").largestCut()).isZero();
    assertThat(ObserverSettings.of("mse").largestCut()).isBetween(0.249, 0.251);
    assertThat(ObserverSettings.of("nvfp4_expanded_mse").largestCut()).isBetween(0.249, 0.251);
  }

  private static ObserverException refused(String name, Map<String, Double> settings) {
    ObserverException e =
        catchThrowableOfType(ObserverException.class, () -> ObserverSettings.of(name, settings));
    assertThat(e).isNotNull();
    return e;
  }
}
