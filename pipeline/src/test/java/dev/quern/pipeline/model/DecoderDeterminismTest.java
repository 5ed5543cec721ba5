package dev.quern.pipeline.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.testdata.TestData;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same bits for any threads, any kernels, and whatever follows a token. */
class DecoderDeterminismTest {
  private static int[] ids(int tokens) {
    return IntStream.range(0, tokens).map(i -> i * 37 % 61).toArray();
  }

  @ParameterizedTest
  @CsvSource({"tinystories-656k, 150", "tiny/mixtral, 70", "tiny/gemma2, 100", "tiny/llama, 129"})
  void threadsAndKernelsChangeNoBit(String name, int tokens) {
    Path folder = TestData.path("models/" + name);
    int[] ids = ids(tokens);
    float[][] expected = ForwardPass.logits(folder, new ScalarKernels(), 1, ids);
    for (int threads : new int[] {1, 2, 7}) {
      float[][] found = ForwardPass.logits(folder, Kernels.best(), threads, ids);
      assertThat(Arrays.deepEquals(found, expected)).as(threads + " threads").isTrue();
    }
    Kernels plain = KernelChoice.withoutVectors();
    assertThat(Arrays.deepEquals(ForwardPass.logits(folder, plain, 2, ids), expected)).isTrue();
  }

  /** Tiles of other sizes come from other lengths; a token must not see them. */
  @Test
  void laterTokensChangeNoBit() {
    for (String name : new String[] {"gemma3_text", "mistral", "olmo2"}) {
      Path folder = TestData.path("models/tiny/" + name);
      float[][] all = ForwardPass.logits(folder, Kernels.best(), 1, ids(140));
      for (int tokens : new int[] {1, 15, 64, 65, 100}) {
        float[][] some = ForwardPass.logits(folder, Kernels.best(), 1, ids(tokens));
        assertThat(Arrays.deepEquals(some, Arrays.copyOf(all, tokens)))
            .as(name + ", " + tokens + " tokens")
            .isTrue();
      }
    }
  }
}
