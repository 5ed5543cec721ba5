package dev.quern.bench;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Holds the arrows between the rooms: who may use whom, for the main classes of every module. */
class PackageRuleTest {
  private static JavaClasses classes;

  @BeforeAll
  static void readEveryModule() throws IOException {
    Path project = TestData.project();
    try (Stream<Path> modules = Files.list(project)) {
      List<Path> compiled =
          modules
              .map(module -> module.resolve("target/classes"))
              .filter(Files::isDirectory)
              .sorted()
              .toList();
      classes = new ClassFileImporter().importPaths(compiled);
    }
  }

  /** Without this, a wrong folder would pass every rule. */
  @Test
  void seesTheRooms() {
    TreeSet<String> rooms = new TreeSet<>();
    classes.forEach(type -> Room.of(type.getName()).ifPresent(room -> rooms.add(room.root())));
    assertThat(rooms)
        .as("rooms with classes; run mvn verify for all modules if some are missing")
        .contains(
            "dev.quern.engine.numeric",
            "dev.quern.engine.kernel",
            "dev.quern.formats",
            "dev.quern.cli",
            "dev.quern.testdata");
  }

  @Test
  void everyClassIsInARoom() {
    assertThat(classes.stream().map(JavaClass::getName).filter(name -> Room.of(name).isEmpty()))
        .as("classes in no room; give the package a line in Room and in ARCHITECTURE.md")
        .isEmpty();
  }

  @Test
  void roomsUseOnlyWhatTheyMay() {
    TreeSet<String> violations = new TreeSet<>();
    for (JavaClass type : classes) {
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        boolean allowed =
            target.isPrimitive()
                || Room.of(type.getName()).map(room -> room.mayUse(target.getName())).orElse(true);
        if (!allowed) {
          violations.add(dependency.getDescription());
        }
      }
    }
    assertThat(violations).as("uses that the table of rooms does not allow").isEmpty();
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.quern.(**)").should().beFreeOfCycles().check(classes);
  }

  /** The rule itself: each line is an arrow of the design, or one that is not in it. */
  @ParameterizedTest
  @CsvSource({
    "dev.quern.engine.numeric.Bf16,           java.lang.foreign.MemorySegment,       true",
    "dev.quern.engine.numeric.Bf16,           dev.quern.engine.kernel.Kernels,       false",
    "dev.quern.engine.numeric.Bf16,           java.nio.file.Path,                    false",
    "dev.quern.engine.memory.Budget,          java.io.FileInputStream,               false",
    "dev.quern.engine.kernel.Kernels,         dev.quern.engine.numeric.Bf16,         true",
    "dev.quern.engine.kernel.Kernels,         jdk.incubator.vector.FloatVector,      false",
    "dev.quern.engine.kernel.Kernels,         dev.quern.engine.kernel.vector.Cast,   false",
    "dev.quern.engine.kernel.vector.Cast,     jdk.incubator.vector.FloatVector,      true",
    "dev.quern.engine.kernel.vector.Cast,     dev.quern.engine.kernel.Kernels,       true",
    "dev.quern.engine.kernel.vector.Cast,     dev.quern.engine.parallel.Splitter,    false",
    "dev.quern.engine.linalg.Gemm,            dev.quern.engine.annotation.Any,       true",
    "dev.quern.engine.linalg.Gemm,            dev.quern.engine.kernel.vector.Cast,   false",
    "dev.quern.engine.solver.Gptq,            com.fasterxml.jackson.core.JsonParser, false",
    "dev.quern.engine.unheard.Of,             java.lang.String,                      ",
    "dev.quern.formats.safetensors.Reader,    com.fasterxml.jackson.core.JsonParser, true",
    "dev.quern.formats.safetensors.Reader,    dev.quern.engine.memory.Budget,        true",
    "dev.quern.formats.json.YamlReader,       org.snakeyaml.engine.v2.events.Event,  true",
    "dev.quern.formats.text.Tokenizer,        ai.djl.huggingface.tokenizers.Encoding, true",
    "dev.quern.formats.text.ChatTemplate,     com.fasterxml.jackson.core.JsonParser, false",
    "dev.quern.formats.calibration.Selection, ai.djl.huggingface.tokenizers.Encoding, false",
    "dev.quern.formats.calibration.Selection, dev.quern.formats.text.TextEncoder,    true",
    "dev.quern.formats.huggingface.Model,     dev.quern.formats.text.TextEncoder,    false",
    "dev.quern.pipeline.Plan,                 org.snakeyaml.engine.v2.events.Event,  false",
    "dev.quern.formats.safetensors.Reader,    dev.quern.engine.kernel.Kernels,       false",
    "dev.quern.formats.safetensors.Reader,    dev.quern.pipeline.Plan,               false",
    "dev.quern.pipeline.Plan,                 dev.quern.engine.solver.Gptq,          true",
    "dev.quern.pipeline.Plan,                 dev.quern.engine.kernel.vector.Cast,   false",
    "dev.quern.pipeline.Plan,                 dev.quern.testdata.TestData,           false",
    "dev.quern.cli.Main,                      dev.quern.pipeline.Plan,               true",
    "dev.quern.cli.Main,                      dev.quern.engine.kernel.Kernels,       false",
    "dev.quern.bench.Main,                    dev.quern.engine.kernel.Kernels,       true",
    "dev.quern.bench.Main,                    org.openjdk.jmh.annotations.Benchmark, true",
    "dev.quern.bench.Main,                    dev.quern.cli.Main,                    false",
    "dev.quern.pipeline.Plan,                 dev.quern.bench.Main,                  false",
  })
  void rule(String user, String used, Boolean allowed) {
    assertThat(Room.of(user).map(room -> room.mayUse(used)).orElse(null)).isEqualTo(allowed);
  }
}
