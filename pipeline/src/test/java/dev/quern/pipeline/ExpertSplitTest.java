package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TinyCheckpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model gives the same file whether its experts lie alone, fused, or fused and transposed. */
class ExpertSplitTest {
  private static final int COUNT = 3;
  private static final String EXPERTS = "model.layers.0.mlp.experts.";

  @TempDir Path temp;

  /** Weight {@code [row][col]} of an expert's part, as bits of BF16. */
  private static short weight(int expert, String part, int row, int col) {
    long seed = ((expert * 3L + part.length()) * 1000 + row) * 1000 + col;
    float value = (float) new SplittableRandom(seed).nextDouble(-0.1, 0.1);
    return (short) (Float.floatToRawIntBits(value) >>> 16);
  }

  private static TinyCheckpoint model(String type, int hidden) {
    return TinyCheckpoint.empty("BF16")
        .config("{\"model_type\": \"" + type + "\", \"hidden_size\": " + hidden + "}")
        .random("model.embed_tokens.weight", 10, hidden)
        .random("model.layers.0.mlp.gate.weight", COUNT, hidden);
  }

  private static byte[] bytes(int rows, int cols, Cell cell) {
    ByteBuffer data = ByteBuffer.allocate(2 * rows * cols).order(ByteOrder.LITTLE_ENDIAN);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        data.putShort(cell.at(r, c));
      }
    }
    return data.array();
  }

  private interface Cell {
    short at(int row, int col);
  }

  /** The expected file: every expert a matrix of its own. */
  private static TinyCheckpoint single(TinyCheckpoint model, int hidden, int intermediate) {
    for (int e = 0; e < COUNT; e++) {
      int expert = e;
      for (String part : List.of("gate", "up")) {
        model.with(
            EXPERTS + e + "." + part + "_proj.weight",
            "BF16",
            bytes(intermediate, hidden, (r, c) -> weight(expert, part, r, c)),
            intermediate,
            hidden);
      }
      model.with(
          EXPERTS + e + ".down_proj.weight",
          "BF16",
          bytes(hidden, intermediate, (r, c) -> weight(expert, "down!", r, c)),
          hidden,
          intermediate);
    }
    return model;
  }

  private static TinyCheckpoint fused(
      TinyCheckpoint model, int hidden, int intermediate, boolean transposed, boolean interleaved) {
    int outputs = 2 * intermediate;
    Cell gateUp =
        (row, k) -> {
          int expert = row / outputs;
          int n = row % outputs;
          boolean up = interleaved ? n % 2 == 1 : n >= intermediate;
          int own = interleaved ? n / 2 : n % intermediate;
          return weight(expert, up ? "up" : "gate", own, k);
        };
    Cell down = (row, k) -> weight(row / hidden, "down!", row % hidden, k);
    if (!transposed) {
      return model
          .with(
              EXPERTS + "gate_up_proj",
              "BF16",
              bytes(COUNT * outputs, hidden, gateUp),
              COUNT,
              outputs,
              hidden)
          .with(
              EXPERTS + "down_proj",
              "BF16",
              bytes(COUNT * hidden, intermediate, down),
              COUNT,
              hidden,
              intermediate);
    }
    return model
        .with(
            EXPERTS + "gate_up_proj",
            "BF16",
            bytes(
                COUNT * hidden,
                outputs,
                (row, n) -> gateUp.at(row / hidden * outputs + n, row % hidden)),
            COUNT,
            hidden,
            outputs)
        .with(
            EXPERTS + "down_proj",
            "BF16",
            bytes(
                COUNT * intermediate,
                hidden,
                (row, n) -> down.at(row / intermediate * hidden + n, row % intermediate)),
            COUNT,
            intermediate,
            hidden);
  }

  @ParameterizedTest
  @CsvSource({
    "qwen3_moe, 48, 20, false, false",
    "qwen3_moe, 40, 20, false, false",
    "qwen3_vl_moe_text, 48, 20, true, false",
    "qwen3_vl_moe_text, 40, 20, false, false",
    "qwen3_vl_moe_text, 24, 24, true, false",
    "llama4_text, 40, 20, true, false",
    "gpt_oss, 24, 24, true, true"
  })
  void sameFile(String type, int hidden, int intermediate, boolean transposed, boolean interleaved)
      throws Exception {
    Path alone = single(model(type, hidden), hidden, intermediate).write(temp.resolve("alone"));
    Path fused =
        fused(model(type, hidden), hidden, intermediate, transposed, interleaved)
            .write(temp.resolve("fused"));
    Path expected = temp.resolve("expected");
    Quern.compress(CompressionOptions.of(alone, expected, "FP8_DYNAMIC"), Progress.NONE);
    for (int threads : new int[] {1, 5}) {
      Path output = temp.resolve("out" + threads);
      CompressionOptions options =
          CompressionOptions.of(fused, output, "FP8_DYNAMIC").withThreads(threads);
      CompressionReport report = Quern.compress(options, Progress.NONE);

      assertThat(report.plan().quantizedTensors()).isEqualTo(3 * COUNT);
      for (String file : List.of("model.safetensors", "config.json")) {
        assertThat(output.resolve(file)).hasSameBinaryContentAs(expected.resolve(file));
      }
      ExpertPlanTest.assertLedger(fused, report.plan());
      assertThat(Quern.verify(output, Optional.of(fused), 2, 1 << 26, Progress.NONE).problems())
          .isEmpty();
    }
  }
}
