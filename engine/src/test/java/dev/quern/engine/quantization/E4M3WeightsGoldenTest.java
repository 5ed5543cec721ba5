package dev.quern.engine.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A matrix made by a formula, and the hashes of what llm-compressor's {@code model_free_ptq} makes
 * of it on a CPU.
 *
 * <p>That path, unlike {@code oneshot}, adds no zero point, so it keeps the sign of W[2][0] = -0.0
 * and writes code 0x80. Quern follows {@code oneshot} and writes 0x00. It is the only byte in which
 * the two may differ, so the test sees to it that ours is 0x00, and hashes with 0x80 in its place.
 */
@Tag("twin")
class E4M3WeightsGoldenTest {
  private static final int ROWS = 96;
  private static final int COLS = 256;
  private static final int NEGATIVE_ZERO = 2 * COLS;

  private static float[] matrix() {
    float[] w = new float[ROWS * COLS];
    for (int i = COLS; i < w.length; i++) { // row 0 is zero
      int h = (int) (i * 2_654_435_761L);
      int m = (((h >>> 24) * 235) >>> 8) - 117;
      int e = (h >>> 20) & 3;
      boolean zero = i < COLS + 128; // the first half of row 1
      w[i] = zero ? 0f : Math.scalb((float) m, -10 - e);
    }
    w[NEGATIVE_ZERO] = -0f;
    return w;
  }

  @ParameterizedTest
  @CsvSource({"BF16, 3126c60131e1ffca", "F16, 248e824dc5bf6cc3", "F32, ba757413a50d9104"})
  void theMatrixIsTheOneThatTheReferenceGot(FloatType type, String hash) {
    float[] w = matrix();
    assertThat(w[3 * COLS]).isEqualTo(0.008544921875f);
    assertThat(w[3 * COLS + 1]).isEqualTo(-0.013427734375f);
    assertThat(w[3 * COLS + 2]).isEqualTo(0.0439453125f);
    assertThat(w[3 * COLS + 3]).isEqualTo(0.00048828125f);
    assertThat(w[95 * COLS + 255]).isEqualTo(-0.01806640625f);
    try (Arena arena = Arena.ofConfined()) {
      assertThat(sha256(Matrix.of(arena, type, ROWS, COLS, w).bytes())).startsWith(hash);
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "FP8_DYNAMIC, BF16, bfd3ca5e3d05aa9e, c2ed527fceae7145",
    "FP8_DYNAMIC, F16,  e7e757eb4dedec6e, 4beeed74b6b73ca9",
    "FP8_DYNAMIC, F32,  8e50b0fa72396769, 6ececb1cdf375f50",
    "FP8,         BF16, 1402cde2e9279cf9, 319e0f1b86dba1cf",
    "FP8_BLOCK,   BF16, 1402cde2e9279cf9, 864020fabd1c668b",
    "FP8_BLOCK,   F16,  3a757a694063e7bf, 36e2e0f1ab59faef",
    "FP8_BLOCK,   F32,  3a757a694063e7bf, 475b1f91d9cccd6c",
  })
  void codesAndScalesAreTheReferences(
      String scheme, FloatType type, String codesHash, String scalesHash) {
    ScaleGrid grid =
        switch (scheme) {
          case "FP8_DYNAMIC" -> ScaleGrid.channel(ROWS, COLS);
          case "FP8" -> ScaleGrid.tensor(ROWS, COLS);
          default -> ScaleGrid.block(ROWS, COLS, 128, 128);
        };
    try (Arena arena = Arena.ofConfined()) {
      Matrix matrix = Matrix.of(arena, type, ROWS, COLS, matrix());
      Quantized quantized = Quantized.of(Kernels.best(), matrix, grid, arena);
      assertThat(sha256(quantized.scales())).startsWith(scalesHash);
      assertThat(quantized.codes().get(ValueLayout.JAVA_BYTE, NEGATIVE_ZERO)).isEqualTo((byte) 0);
      quantized.codes().set(ValueLayout.JAVA_BYTE, NEGATIVE_ZERO, (byte) 0x80);
      assertThat(sha256(quantized.codes())).startsWith(codesHash);
    }
  }

  private static String sha256(MemorySegment bytes) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(bytes.toArray(ValueLayout.JAVA_BYTE)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK has it
    }
  }
}
