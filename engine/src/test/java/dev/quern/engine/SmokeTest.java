package dev.quern.engine;
import static org.assertj.core.api.Assertions.assertThat;
import org.junit.jupiter.api.Test;
class SmokeTest {
  @Test void lanes() { assertThat(jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.length()).isEqualTo(16); }
}
