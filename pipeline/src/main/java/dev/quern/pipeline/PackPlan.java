package dev.quern.pipeline;

import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.layout.KernelLayout;
import dev.quern.formats.layout.LayoutException;
import dev.quern.formats.layout.PackedTensor;
import dev.quern.formats.layout.QuantizedMatrix;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a packed checkpoint holds: for each file of the logical one a file with the packed tensors
 * of the modules whose weights are in it, and with every tensor that is carried as it is.
 */
final class PackPlan {
  /** A module that is packed. */
  record Module(
      String name,
      QuantizedMatrix matrix,
      KernelLayout layout,
      List<PackedTensor> tensors,
      String file) {
    String full(String parameter) {
      return name + "." + parameter;
    }
  }

  /** A logical tensor that is not touched, with the packed file that it goes to. */
  record Carried(SourceTensor tensor, String file) {}

  /** Which layout a module gets. */
  interface Choice {
    /** The plan of the first that takes it. */
    Chosen of(String module, QuantizedMatrix matrix);
  }

  /** A layout with its plan. */
  record Chosen(KernelLayout layout, List<PackedTensor> tensors) {}

  private final List<Module> modules = new ArrayList<>();
  private final List<Carried> carried = new ArrayList<>();
  private final Map<String, String> kept = new TreeMap<>();
  private final Map<String, List<TensorSpec>> files = new LinkedHashMap<>();
  private final Map<String, String> packedNames = new LinkedHashMap<>();

  private PackPlan() {}

  /**
   * @param choice throws {@link LayoutException} for modules that stay as they are
   */
  static PackPlan of(
      HuggingFaceCheckpoint checkpoint, Map<String, QuantizedMatrix> all, Choice choice) {
    PackPlan plan = new PackPlan();
    int number = 0;
    for (SafetensorsFile file : checkpoint.files()) {
      number++;
      String packed =
          String.format(
              Locale.ROOT, "packed-%05d-of-%05d.safetensors", number, checkpoint.files().size());
      plan.packedNames.put(file.path().getFileName().toString(), packed);
      plan.files.put(packed, new ArrayList<>());
    }
    Set<String> restored = new HashSet<>();
    all.forEach(
        (name, matrix) -> {
          try {
            Chosen chosen = choice.of(name, matrix);
            SourceTensor weight = checkpoint.find(name + "." + matrix.weight()).orElseThrow();
            Module module =
                new Module(name, matrix, chosen.layout(), chosen.tensors(), plan.fileOf(weight));
            plan.add(module, restored);
          } catch (LayoutException e) {
            plan.kept.put(name, e.getMessage());
          }
        });
    for (SourceTensor tensor : checkpoint.tensors()) {
      if (!restored.contains(tensor.name())) {
        String file = plan.fileOf(tensor);
        plan.carried.add(new Carried(tensor, file));
        plan.files.get(file).add(tensor.info().spec());
      }
    }
    plan.refuseTwins();
    return plan;
  }

  private void add(Module module, Set<String> restored) {
    modules.add(module);
    for (PackedTensor tensor : module.tensors()) {
      files
          .get(module.file())
          .add(
              new TensorSpec(
                  module.full(tensor.name()), tensor.type().dtype(), tensor.type().shape()));
      if (tensor.restores()) {
        restored.add(module.full(tensor.source().orElseThrow()));
      }
    }
  }

  private String fileOf(SourceTensor tensor) {
    return packedNames.get(tensor.file().path().getFileName().toString());
  }

  /** A parameter of the model's own that has a packed tensor's name would be lost. */
  private void refuseTwins() {
    Map<String, String> seen = new HashMap<>();
    files.forEach(
        (file, specs) ->
            specs.forEach(
                spec -> {
                  if (seen.put(spec.name(), file) != null) {
                    throw new QuernException(
                        QuernException.Kind.INPUT,
                        spec.name(),
                        "is a tensor of the checkpoint, and a packed tensor would have its name",
                        "Choose another --layout.");
                  }
                }));
  }

  /** Packed modules, in the order of the model. */
  List<Module> modules() {
    return modules;
  }

  /** Tensors that go along unchanged, in the order of the model. */
  List<Carried> carried() {
    return carried;
  }

  /** Quantized modules that stay as they are, with the reason. */
  Map<String, String> kept() {
    return kept;
  }

  /** Packed files with their tensors. */
  Map<String, List<TensorSpec>> files() {
    return files;
  }

  /** From the name of a logical file to that of its packed one. */
  Map<String, String> packedNames() {
    return packedNames;
  }
}
