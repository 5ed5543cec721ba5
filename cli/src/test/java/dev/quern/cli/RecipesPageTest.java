package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples of docs/recipes.md do what the page says, on a small model. */
class RecipesPageTest {
  private static final Path PAGE = TestData.project().resolve("docs/recipes.md");
  private static final Path MODEL = TestData.path("golden/source/plain-bf16");

  @TempDir Path temp;

  static List<String> commands() throws IOException {
    return blocks("console").stream().flatMap(String::lines).toList();
  }

  static List<String> recipes() throws IOException {
    return blocks("yaml");
  }

  /** The texts between a fence of this language and the next one. */
  private static List<String> blocks(String language) throws IOException {
    List<String> blocks = new ArrayList<>();
    StringBuilder block = null;
    for (String line : Files.readAllLines(PAGE, StandardCharsets.UTF_8)) {
      if (block == null) {
        block = line.equals("```" + language) ? new StringBuilder() : null;
      } else if (line.equals("```")) {
        blocks.add(block.toString());
        block = null;
      } else {
        block.append(line).append('\n');
      }
    }
    return blocks;
  }

  @Test
  void hasExamples() throws IOException {
    assertThat(commands()).hasSize(5);
    assertThat(recipes()).hasSize(7);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void commandsRun(String command) {
    String[] args =
        command
            .replaceFirst("^quern ", "")
            .replace("MODEL", MODEL.toString())
            .replace("OUT", temp.resolve("out").toString())
            .split(" ");
    verified(QuernProcess.run(args));
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void recipesRun(String recipe) throws IOException {
    Path file = Files.writeString(temp.resolve("recipe.yaml"), recipe, StandardCharsets.UTF_8);
    verified(
        QuernProcess.run(
            "compress",
            MODEL.toString(),
            "--recipe",
            file.toString(),
            "--output",
            temp.resolve("out").toString()));
  }

  private void verified(QuernProcess run) {
    assertThat(run.exitCode()).as(run.err()).isZero();
    QuernProcess verify =
        QuernProcess.run("verify", temp.resolve("out").toString(), "--against", MODEL.toString());
    assertThat(verify.exitCode()).as(verify.out() + verify.err()).isZero();
    assertThat(verify.out()).contains("nothing wrong");
  }
}
