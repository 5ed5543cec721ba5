package dev.quern.pipeline.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.model.DecoderLayer;
import dev.quern.engine.model.DecoderWorkspace;
import dev.quern.engine.model.Embedding;
import dev.quern.engine.model.Head;
import dev.quern.engine.model.KeyValueCache;
import dev.quern.engine.model.LayerObserver;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A sequence that grows has the bits of one that is run whole. */
class CachedForwardTest {
  @TempDir Path temporary;

  private static int[] ids(int tokens) {
    return IntStream.range(0, tokens).map(i -> i * 37 % 61).toArray();
  }

  /** The logits of all tokens, of which so many go through the layers together. */
  private static float[][] logits(Path folder, int[] ids, int... pieces) {
    Kernels kernels = Kernels.best();
    try (DecoderModel model = DecoderModel.open(folder);
        DecoderWorkspace workspace = DecoderWorkspace.ofCallingThread(kernels);
        KeyValueCache cache = new KeyValueCache(model.spec(), ids.length);
        MappedWeights weights = model.map(kernels)) {
      float[][] result = new float[ids.length][model.spec().vocabulary()];
      List<DecoderLayer> layers =
          model.spec().layers().stream().map(layer -> new DecoderLayer(layer, weights)).toList();
      int at = 0;
      for (int piece = 0; at < ids.length; piece++) {
        int[] some =
            Arrays.copyOfRange(
                ids, at, Math.min(ids.length, at + pieces[Math.min(piece, pieces.length - 1)]));
        if (!cache.continuesTo(at + some.length)) {
          cache.clear();
          some = Arrays.copyOf(ids, at + some.length);
          at = 0;
        }
        try (Arena arena = Arena.ofConfined()) {
          FloatMatrix x = FloatMatrix.allocate(arena, some.length, model.spec().hidden());
          new Embedding(model.spec(), weights).lookUp(workspace, some, x);
          for (int i = 0; i < layers.size(); i++) {
            layers.get(i).forward(workspace, x, LayerObserver.NONE, cache, i);
          }
          int begin = at;
          new Head(model.spec(), weights)
              .logits(
                  workspace,
                  x,
                  LayerObserver.NONE,
                  (first, found) -> {
                    for (int row = 0; row < found.rows(); row++) {
                      for (int v = 0; v < found.columns(); v++) {
                        result[begin + first + row][v] = found.get(row, v);
                      }
                    }
                  });
        }
        at += some.length;
        assertThat(cache.tokens()).isEqualTo(at);
      }
      return result;
    }
  }

  static List<String> architectures() throws IOException {
    try (Stream<Path> folders = Files.list(TestData.path("models/tiny"))) {
      return folders.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void piecesChangeNoBit(String name) {
    Path folder = TestData.path("models/tiny/" + name);
    int[] ids = ids(100);
    float[][] whole = ForwardPass.logits(folder, Kernels.best(), 1, ids);
    assertThat(Arrays.deepEquals(logits(folder, ids, 1), whole)).as("one by one").isTrue();
    assertThat(Arrays.deepEquals(logits(folder, ids, 70, 1, 13), whole)).as("pieces").isTrue();
    assertThat(Arrays.deepEquals(logits(folder, ids, 100), whole)).as("whole").isTrue();
  }

  /** Where the rotation changes with the length, the last token is that of the whole sequence. */
  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "longrope", "yarn"})
  void growingRotationsBeginAgain(String name) throws IOException {
    Path llama = TestData.path("models/tiny/llama");
    Files.copy(llama.resolve("model.safetensors"), temporary.resolve("model.safetensors"));
    Files.copy(llama.resolve("rope/" + name + ".json"), temporary.resolve("config.json"));
    for (int tokens : new int[] {10, 40, 70}) {
      int[] ids = ids(tokens);
      float[] last = ForwardPass.logits(temporary, Kernels.best(), 1, ids)[tokens - 1];
      assertThat(logits(temporary, ids, 1)[tokens - 1]).isEqualTo(last);
    }
  }

  @Test
  void rotationsThatWouldChangeAreRefused() throws IOException {
    Path llama = TestData.path("models/tiny/llama");
    Files.copy(llama.resolve("model.safetensors"), temporary.resolve("model.safetensors"));
    Files.copy(llama.resolve("rope/dynamic.json"), temporary.resolve("config.json"));
    try (DecoderModel model = DecoderModel.open(temporary);
        KeyValueCache cache = new KeyValueCache(model.spec(), 300);
        MappedWeights weights = model.map(Kernels.best());
        DecoderWorkspace workspace = DecoderWorkspace.ofCallingThread(Kernels.best());
        Arena arena = Arena.ofConfined()) {
      DecoderLayer layer = new DecoderLayer(model.spec().layers().getFirst(), weights);
      FloatMatrix x = FloatMatrix.allocate(arena, 100, model.spec().hidden());
      layer.forward(workspace, x, LayerObserver.NONE, cache, 0);

      assertThat(cache.continuesTo(200)).isFalse();
      assertThatThrownBy(() -> layer.forward(workspace, x, LayerObserver.NONE, cache, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("clear the cache");
      cache.clear();
      assertThat(cache.continuesTo(200)).isTrue();
      assertThat(cache.continuesTo(301)).isFalse();
    }
  }

  /** Observers that change each module's input in its own way. */
  @Test
  void modulesHaveInputsOfTheirOwnWhereAnObserverSaysSo() {
    Path folder = TestData.path("models/tiny/qwen2_moe");
    int[] ids = ids(20);
    float[][] plain = ForwardPass.logits(folder, Kernels.best(), 1, ids);
    LayerObserver apart =
        new LayerObserver() {
          @Override
          public boolean together(List<String> linears) {
            return false;
          }

          @Override
          public void input(List<String> linears, FloatMatrix input) {
            assertThat(linears).hasSize(1);
          }
        };
    assertThat(Arrays.deepEquals(ForwardPass.logits(folder, Kernels.best(), 1, ids, apart), plain))
        .isTrue();

    // One module's zeros must not reach the modules beside it.
    List<String> seen = new java.util.ArrayList<>();
    LayerObserver zeros =
        new LayerObserver() {
          @Override
          public boolean together(List<String> linears) {
            return false;
          }

          @Override
          public void input(List<String> linears, FloatMatrix input) {
            String name = linears.getFirst();
            boolean victim =
                name.endsWith("q_proj")
                    || name.endsWith("mlp.gate")
                    || name.endsWith("expert_gate");
            float before = input.get(0, 0);
            if (victim) {
              for (int row = 0; row < input.rows(); row++) {
                for (int column = 0; column < input.columns(); column++) {
                  input.set(row, column, 0);
                }
              }
            } else if (name.endsWith("_proj") && !name.contains("down") && before == 0) {
              seen.add(name);
            }
          }
        };
    ForwardPass.logits(folder, Kernels.best(), 1, ids, zeros);
    assertThat(seen).isEmpty();
  }
}
