package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.quern.pipeline.report.Deviation;
import dev.quern.pipeline.report.HtmlReport;
import dev.quern.pipeline.report.JsonReport;
import dev.quern.pipeline.report.KeptTensors;
import dev.quern.pipeline.report.ModuleResult;
import dev.quern.pipeline.report.Report;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** The reports beside every output. */
class ReportsTest {
  @TempDir private Path temp;

  @Test
  void bothFilesAreThereWithTheSameBytesForAnyThreads() throws Exception {
    Path source = TestData.path("golden/source/plain-bf16");
    List<byte[]> html = new ArrayList<>();
    List<byte[]> json = new ArrayList<>();
    for (int threads : new int[] {1, 2, 7}) {
      Path output = temp.resolve("out" + threads);
      CompressionOptions options =
          CompressionOptions.ofSchemes(
                  source, output, List.of("W4A16", "FP8_DYNAMIC:re:.*self_attn.*"))
              .withThreads(threads);
      Quern.compress(options, Progress.NONE);
      html.add(Files.readAllBytes(output.resolve(HtmlReport.FILE)));
      json.add(Files.readAllBytes(output.resolve(JsonReport.FILE)));
      requireValid(Files.readString(output.resolve(JsonReport.FILE)));
    }
    assertThat(html.get(1)).isEqualTo(html.get(0));
    assertThat(html.get(2)).isEqualTo(html.get(0));
    assertThat(json.get(1)).isEqualTo(json.get(0));
    assertThat(json.get(2)).isEqualTo(json.get(0));
    String page = new String(html.get(0), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(page)
        .contains("plain-bf16", "W4A16", "FP8_DYNAMIC", "q_proj")
        .doesNotContain(temp.toString());
    requireSelfContained(page);
  }

  /** What came with the source is about the source. */
  @Test
  void reportsOfTheSourceAreLeftOut() throws Exception {
    Path source = temp.resolve("model");
    Files.createDirectories(source);
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(TestData.path("golden/source/plain-bf16").resolve(file), source.resolve(file));
    }
    Files.writeString(source.resolve(JsonReport.FILE), "old");
    Files.writeString(source.resolve(HtmlReport.FILE), "old");
    Path output = temp.resolve("out");
    CompressionReport report =
        Quern.compress(CompressionOptions.of(source, output, "FP8_DYNAMIC"), Progress.NONE);
    assertThat(Files.readString(output.resolve(JsonReport.FILE))).contains("report-1");
    assertThat(report.plan().leftOutLines()).anyMatch(line -> line.startsWith(JsonReport.FILE));
  }

  @Test
  void namesCannotBreakThePage() throws Exception {
    String hostile = "</td><script>alert('x')</script>&\"\u0001";
    Report report =
        new Report(
            "1",
            hostile,
            new TreeMap<>(java.util.Map.of(hostile, 1L)),
            10,
            5,
            List.of(module(hostile, 0.1), module("model.layers.3.mlp.experts.7." + hostile, 0.2)),
            List.of(new KeptTensors(hostile, "copy", 1, 5, hostile)),
            List.of(hostile),
            List.of(hostile),
            hostile);
    String page = HtmlReport.of(report);
    assertThat(page).doesNotContain("<script");
    requireSelfContained(page);
    requireValid(JsonReport.of(report));
  }

  /** 256 experts in each of 60 layers: the page shows kinds, not modules. */
  @Test
  void pageOfAHugeModelStaysSmall() throws Exception {
    List<ModuleResult> modules = new ArrayList<>();
    for (int layer = 0; layer < 60; layer++) {
      for (int expert = 0; expert < 256; expert++) {
        for (String kind : List.of("gate_proj", "up_proj", "down_proj")) {
          String name = "model.layers." + layer + ".mlp.experts." + expert + "." + kind;
          modules.add(module(name, 0.001 * layer + 1e-6 * expert));
        }
      }
    }
    Report report =
        new Report(
            "1",
            "huge",
            new TreeMap<>(java.util.Map.of("NVFP4A16", (long) modules.size())),
            1L << 40,
            1L << 38,
            modules,
            List.of(),
            List.of(),
            List.of(),
            "");
    String page = HtmlReport.of(report);
    assertThat(page.length()).isLessThan(60_000);
    assertThat(page).contains("experts.gate_proj", "model.layers.59.mlp.experts.255.down_proj");
    requireSelfContained(page);
    requireValid(JsonReport.of(report));
  }

  @Test
  void whatIsNotKnownIsNull() {
    Report report =
        new Report(
            "1",
            "m",
            new TreeMap<>(),
            1,
            1,
            List.of(
                new ModuleResult(
                    "lm_head",
                    "FP8",
                    1,
                    1,
                    new Deviation(3, 0, 1, 0, 1, 0),
                    List.of(new ModuleResult.Fact("loss", Double.NaN)))),
            List.of(),
            List.of(),
            List.of(),
            "");
    String json = JsonReport.of(report);
    requireValid(json);
    assertThat(json).contains("\"signal_to_noise_db\": null", "\"loss\": null", "\"layer\": null");
    assertThat(HtmlReport.of(report)).contains("exact");
  }

  private static ModuleResult module(String name, double error) {
    return new ModuleResult(
        name, "W4A16", 200, 60, new Deviation(100, error, 1, error * error, 1, error), List.of());
  }

  private static void requireValid(String json) {
    JsonSchema schema;
    try {
      schema =
          JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
              .getSchema(Files.readString(TestData.project().resolve("docs/report.schema.json")));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    assertThat(schema.validate(json, InputFormat.JSON)).isEmpty();
  }

  /** Well-formed, and nothing in it is fetched from anywhere. */
  private static void requireSelfContained(String page) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    Document document = factory.newDocumentBuilder().parse(new InputSource(new StringReader(page)));
    NodeList elements = document.getElementsByTagName("*");
    assertThat(elements.getLength()).isGreaterThan(50);
    for (int i = 0; i < elements.getLength(); i++) {
      Element element = (Element) elements.item(i);
      assertThat(element.getTagName()).isNotIn("script", "link", "img", "iframe", "object", "base");
      assertThat(element.getAttribute("src")).isEmpty();
      if (element.hasAttribute("href")) {
        assertThat(element.getAttribute("href")).isEqualTo(JsonReport.FILE);
      }
      assertThat(element.getAttribute("style")).isEmpty();
    }
    assertThat(page).doesNotContain("@import", "url(");
  }
}
