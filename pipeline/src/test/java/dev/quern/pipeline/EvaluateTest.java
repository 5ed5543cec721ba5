package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateTest {
  private static final Path MODEL = TestData.path("models/storyteller-4m");

  /** Two rows of 128 ids that the model's author drew. */
  private static final Path IDS = MODEL.resolve("golden_logits.safetensors");

  @TempDir Path temp;

  private static EvaluationReport evaluate(EvaluationOptions options) throws InterruptedException {
    return Quern.evaluate(options, Progress.NONE);
  }

  private Path compressed(String scheme) throws InterruptedException {
    Path output = temp.resolve(scheme);
    Quern.compress(CompressionOptions.of(MODEL, output, scheme), Progress.NONE);
    return output;
  }

  /** The number is transformers' in f32: 268.68912009537064 and 403.1699902403095 nats. */
  @Test
  void perplexityIsThatOfTransformers() throws InterruptedException {
    EvaluationReport report = evaluate(EvaluationOptions.of(MODEL, IDS).withWindow(128));

    assertThat(report.tokens()).isEqualTo(254);
    assertThat(report.windows()).isEqualTo(2);
    assertThat(report.leftOut()).isZero();
    assertThat(report.notes()).isEmpty();
    assertThat(report.model().loss().value()).isCloseTo(2.6451146076207874, within(1e-6));
    assertThat(report.model().perplexity().value()).isCloseTo(14.085059245753781, within(1e-5));
    double error = (403.1699902403095 - 268.68912009537064) / 254;
    assertThat(report.model().loss().standardError().orElseThrow()).isCloseTo(error, within(1e-6));
  }

  @Test
  void compressedModelIsNearItsSource() throws InterruptedException {
    Path compressed = compressed("W4A16");
    EvaluationOptions options =
        EvaluationOptions.of(compressed, IDS).withWindow(128).withAgainst(MODEL);
    EvaluationReport report = evaluate(options);
    EvaluationReport.Comparison comparison = report.comparison().orElseThrow();

    assertThat(report.model().weights()).isEqualTo("int4, groups of 128");
    assertThat(comparison.source().weights()).isEqualTo("plain");
    assertThat(comparison.source().loss().value()).isCloseTo(2.6451146076207874, within(1e-6));
    assertThat(comparison.divergence().value()).isBetween(0.01, 0.05);
    assertThat(comparison.topOne().value()).isBetween(0.8, 0.99);
    assertThat(comparison.perplexityRatio().value())
        .isCloseTo(
            report.model().perplexity().value() / comparison.source().perplexity().value(),
            within(1e-12));
  }

  /** Small memory makes a temporary file; neither that nor threads may be seen in the numbers. */
  @Test
  void threadsAndMemoryChangeNoBit() throws InterruptedException {
    Path compressed = compressed("FP8_DYNAMIC");
    EvaluationOptions options =
        EvaluationOptions.of(compressed, IDS).withWindow(32).withAgainst(MODEL).withThreads(1);
    EvaluationReport one = evaluate(options);
    EvaluationReport many = evaluate(options.withThreads(3).withMemoryBytes(1_000_000));

    assertThat(one.spilledBytes()).isZero();
    assertThat(many.spilledBytes()).isEqualTo(2 * 32 * 256 * 4);
    assertThat(many.model()).isEqualTo(one.model());
    assertThat(many.comparison()).isEqualTo(one.comparison());
  }

  @Test
  void sourceAgainstItselfIsEqual() throws InterruptedException {
    EvaluationReport report =
        evaluate(EvaluationOptions.of(MODEL, IDS).withWindow(40).withLimit(96).withAgainst(MODEL));
    EvaluationReport.Comparison comparison = report.comparison().orElseThrow();

    assertThat(comparison.divergence().value()).isZero();
    assertThat(comparison.topOne().value()).isEqualTo(1);
    assertThat(comparison.perplexityRatio().value()).isEqualTo(1);
    assertThat(report.leftOut()).isEqualTo(16);
  }

  @Test
  void limitAndShortTextsAreSaid() throws InterruptedException {
    EvaluationReport limited = evaluate(EvaluationOptions.of(MODEL, IDS).withLimit(20));
    assertThat(limited.tokens()).isEqualTo(19);
    assertThat(limited.notes()).singleElement().asString().contains("less than a window of 512");
    assertThat(limited.model().loss().standardError()).isEmpty();

    EvaluationReport one = evaluate(EvaluationOptions.of(MODEL, IDS).withWindow(70).withLimit(90));
    assertThat(one.notes()).singleElement().asString().contains("only one window");
    EvaluationReport longer =
        evaluate(EvaluationOptions.of(MODEL, IDS).withWindow(2000).withLimit(9));
    assertThat(longer.notes()).anyMatch(note -> note.contains("max_position_embeddings, 1024"));
  }

  private void isRefused(EvaluationOptions options, QuernException.Kind kind, String... parts) {
    assertThatThrownBy(() -> evaluate(options))
        .isInstanceOf(QuernException.class)
        .hasMessageContainingAll(parts)
        .extracting(e -> ((QuernException) e).kind())
        .isEqualTo(kind);
  }

  @Test
  void unusableInputIsRefused() throws IOException {
    Path text = Files.writeString(temp.resolve("a.txt"), "Once upon a time");
    Path empty = Files.writeString(temp.resolve("b.txt"), "\n");
    Path tiny = TestData.path("models/tiny/llama");
    QuernException.Kind input = QuernException.Kind.INPUT;

    isRefused(EvaluationOptions.of(MODEL, empty), input, "b.txt", "expected text, found none");
    isRefused(EvaluationOptions.of(MODEL, temp.resolve("c.txt")), input, "c.txt");
    isRefused(EvaluationOptions.of(tiny, text), input, "tokenizer.json", "no such file");
    isRefused(
        EvaluationOptions.of(MODEL, text).withAgainst(TestData.path("models/stories260K-hf")),
        input,
        "expected the vocabulary of",
        "found 2048");
    isRefused(
        EvaluationOptions.of(TestData.path("golden/source/plain-bf16"), text), input, "tokenizer");
  }

  @Test
  void anotherTokenizerIsRefused() throws IOException {
    Path other = Files.createDirectory(temp.resolve("other"));
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(MODEL.resolve(file), other.resolve(file));
    }
    String tokenizer = Files.readString(MODEL.resolve("tokenizer.json"));
    Files.writeString(other.resolve("tokenizer.json"), tokenizer + "\n");
    Path text = Files.writeString(temp.resolve("a.txt"), "Once upon a time");
    EvaluationOptions options = EvaluationOptions.of(other, text).withAgainst(MODEL);

    assertThatCode(() -> evaluate(options)).doesNotThrowAnyException();
    Files.copy(
        TestData.path("golden/text/storyteller-moe-8m/tokenizer.json"),
        other.resolve("tokenizer.json"),
        StandardCopyOption.REPLACE_EXISTING);
    isRefused(options, QuernException.Kind.INPUT, "found one that gives other ids");
  }

  @Test
  void unknownArchitectureIsRefused() throws IOException {
    Path other = Files.createDirectory(temp.resolve("other"));
    Files.copy(MODEL.resolve("model.safetensors"), other.resolve("model.safetensors"));
    String config = Files.readString(MODEL.resolve("config.json"));
    Files.writeString(
        other.resolve("config.json"),
        config.replace("\"model_type\": \"llama\"", "\"model_type\": \"mamba\""));
    isRefused(
        EvaluationOptions.of(other, IDS), QuernException.Kind.INPUT, "model_type", "\"mamba\"");
  }

  @Test
  void logitsThatAreNotFiniteAreRefused() throws IOException {
    Path other = Files.createDirectory(temp.resolve("other"));
    Files.copy(MODEL.resolve("config.json"), other.resolve("config.json"));
    byte[] weights = Files.readAllBytes(MODEL.resolve("model.safetensors"));
    weights[weights.length - 1] = 0x7F; // the last tensor is a norm's, or a matrix of each token
    weights[weights.length - 2] = (byte) 0xC0;
    Files.write(other.resolve("model.safetensors"), weights);
    isRefused(
        EvaluationOptions.of(other, IDS), QuernException.Kind.INPUT, "expected finite logits");
  }

  @Test
  void numbersOutOfRangeAreRefused() {
    assertThatThrownBy(() -> EvaluationOptions.of(MODEL, IDS).withWindow(1))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("--window 1");
    assertThatThrownBy(() -> EvaluationOptions.of(MODEL, IDS).withLimit(1))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("--limit 1");
  }
}
