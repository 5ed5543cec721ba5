package dev.quern.engine.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.ref.WeakReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class Nvfp4ScalesTest {
  @ParameterizedTest
  @CsvSource({
    // From checkpoints of the reference: largest magnitude of the fused set, global scale.
    "BF16, 40, 67.5",
    "BF16, 4.78125, 560",
    "BF16, 0.0875, 30720",
    "F16, 40, 67.1875",
    "F16, 7.625, 352.5",
    "F16, 0.042, 64000",
    "F32, 40, 67.20000457763672",
    "F32, 7.65625, 351.085693359375",
  })
  void theReferencesGlobalScale(FloatType type, float largest, float global) {
    assertThat(Nvfp4Scales.global(type, type.encode(largest))).isEqualTo(global);
  }

  @ParameterizedTest
  @CsvSource({
    // F16 ends at 65504: the reference's scale would be 1, and every group's code 0x20.
    "F16, 0.04, 67200",
    "F16, 0.0009765625, 2752512",
    "F16, 5.9604645e-8, 45097156608",
    // Binary32 cannot hold it either; there is nothing left but 1.
    "F16, 0, 1",
    "BF16, 0, 1",
    "F32, 0, 1",
    "BF16, 1e-38, 1",
  })
  void whereTheTypeCannotHoldIt(FloatType type, float largest, float global) {
    assertThat(Nvfp4Scales.global(type, type.encode(largest)))
        .isCloseTo(global, org.assertj.core.data.Percentage.withPercentage(0.05));
  }

  @ParameterizedTest
  @EnumSource
  void theTableIsTheFormula(FloatType type) {
    int visited = 0;
    for (float largest : new float[] {40f, 0.0371f, 1e-4f, type.decode(3), 0}) {
      int bits = type.encode(largest);
      Nvfp4Scales scales = Nvfp4Scales.of(type, bits);
      int step = type == FloatType.F32 ? 9973 : 1;
      for (int group = bits; group >= 0; group -= step) {
        byte code = Nvfp4Scales.code(type, scales.global(), group);
        assertThat(scales.table().code(group)).isEqualTo(code);
        assertThat(scales.table().scale(code)).isEqualTo(Fp8E4M3.decode(code) / scales.global());
        visited++;
      }
    }
    assertThat(visited).isGreaterThan(30_000);
  }

  @Test
  void zeroAndWhatUnderflowsGetAnEighth() {
    Nvfp4Scales scales = Nvfp4Scales.of(FloatType.BF16, FloatType.BF16.encode(1f));
    assertThat(scales.table().code(0)).isEqualTo((byte) 0x20);
    assertThat(scales.table().code(FloatType.BF16.encode(1e-9f))).isEqualTo((byte) 0x20);
    assertThat(scales.table().scale((byte) 0x20)).isEqualTo(0.125f / scales.global());
    assertThat(scales.table().code(FloatType.BF16.encode(1f))).isEqualTo(Fp8E4M3.encode(448));
  }

  @Test
  void matricesThatWaitHaveNoTable() {
    Nvfp4Scales scales = Nvfp4Scales.of(FloatType.F16, FloatType.F16.encode(1f));
    WeakReference<Nvfp4Scales.Table> table = new WeakReference<>(scales.table());
    assertThat(scales.table().code(FloatType.F16.encode(1f))).isEqualTo(Fp8E4M3.encode(448));
    for (int i = 0; i < 100 && table.get() != null; i++) {
      System.gc();
    }
    assertThat(table.get()).isNull();
    assertThat(scales.table().code(FloatType.F16.encode(1f))).isEqualTo(Fp8E4M3.encode(448));
  }
}
