package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.layout.KernelLayout;
import dev.quern.formats.layout.KernelLayouts;
import dev.quern.formats.layout.PackedShape;
import dev.quern.formats.layout.PackedTensor;
import dev.quern.formats.layout.StridedLayout;
import dev.quern.formats.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code layout.json}: what each tensor of a packed checkpoint is, in which layout and of which
 * sizes, and how the logical checkpoint comes back. Its schema is {@code docs/layout.schema.json}.
 *
 * @param shards files of the logical checkpoint
 * @param files other files, relative to {@link Packing#CHECKPOINT}, with their SHA-256
 * @param modules the packed modules by name
 * @param carried tensors that are unchanged, with their SHA-256
 */
record LayoutFile(
    List<Shard> shards,
    Map<String, String> files,
    Map<String, Module> modules,
    Map<String, String> carried) {
  static final String NAME = "layout.json";
  private static final String SCHEMA = "layout-1";

  /**
   * A file of the logical checkpoint.
   *
   * @param file its name
   * @param packed the packed file with its tensors
   * @param bytes its size
   */
  record Shard(String file, String packed, long bytes) {}

  /**
   * A packed module.
   *
   * @param layout id of its kernel's layout
   * @param digests SHA-256 of its packed tensors, by parameter
   */
  record Module(String layout, Map<String, String> digests) {}

  /** Whether weights that are not quantized may be among the modules. */
  boolean takesPlain() {
    return modules.values().stream()
        .flatMap(module -> KernelLayouts.named(module.layout()).stream())
        .anyMatch(KernelLayout::takesPlain);
  }

  /** Where the header of a logical file is kept, relative to the packed checkpoint. */
  static String headerFile(String shard) {
    return Packing.CHECKPOINT + "/" + shard + ".header";
  }

  static void write(
      Path folder, HuggingFaceCheckpoint checkpoint, PackPlan plan, Map<String, String> digests)
      throws IOException {
    Map<String, Json> root = new LinkedHashMap<>();
    root.put("schema", Json.of(SCHEMA));
    List<Json> modules = new ArrayList<>();
    for (PackPlan.Module module : plan.modules()) {
      modules.add(module(module, digests));
    }
    root.put("modules", Json.of(modules));
    List<Json> kept = new ArrayList<>();
    plan.kept()
        .forEach(
            (name, reason) -> kept.add(object("name", Json.of(name), "reason", Json.of(reason))));
    root.put("kept", Json.of(kept));
    List<Json> carried = new ArrayList<>();
    for (PackPlan.Carried tensor : plan.carried()) {
      carried.add(
          object(
              "name", Json.of(tensor.tensor().name()),
              "file", Json.of(tensor.file()),
              "sha256", Json.of(digests.get(tensor.tensor().name()))));
    }
    root.put("carried", Json.of(carried));
    List<Json> shards = new ArrayList<>();
    for (SafetensorsFile file : checkpoint.files()) {
      String name = file.path().getFileName().toString();
      shards.add(
          object(
              "file", Json.of(name),
              "packed", Json.of(plan.packedNames().get(name)),
              "header", Json.of(headerFile(name)),
              "bytes", Json.of(file.fileBytes())));
    }
    root.put("shards", Json.of(shards));
    List<Json> files = new ArrayList<>();
    for (String file : Packing.carriedFiles(checkpoint)) {
      files.add(
          object(
              "file", Json.of(file),
              "sha256", Json.of(digests.get(Packing.CHECKPOINT + "/" + file))));
    }
    root.put("files", Json.of(files));
    Files.writeString(
        folder.resolve(NAME), JsonWriter.pretty(Json.Obj.of(root)), StandardCharsets.UTF_8);
  }

  private static Json module(PackPlan.Module module, Map<String, String> digests) {
    List<Json> tensors = new ArrayList<>();
    for (PackedTensor tensor : module.tensors()) {
      tensors.add(tensor(tensor, digests.get(module.full(tensor.name()))));
    }
    return object(
        "name", Json.of(module.name()),
        "layout", Json.of(module.layout().id()),
        "file", Json.of(module.file()),
        "n", Json.of(module.matrix().n()),
        "k", Json.of(module.matrix().k()),
        "bits", Json.of(module.matrix().bits()),
        "tensors", Json.of(tensors));
  }

  private static Json tensor(PackedTensor tensor, String sha256) {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("name", Json.of(tensor.name()));
    members.put("dtype", Json.of(tensor.type().dtype().name()));
    members.put("shape", longs(tensor.type().shape()));
    tensor.source().ifPresent(source -> members.put("source", Json.of(source)));
    tensor.conversion().ifPresent(conversion -> members.put("conversion", Json.of(conversion)));
    members.put("restores", Json.of(tensor.restores()));
    tensor
        .placement()
        .ifPresent(
            placement -> {
              PackedShape shape = placement.shape();
              members.put("layout", Json.of(placement.layout().id()));
              members.put("element_bits", Json.of(placement.layout().bits()));
              members.put("matrix", longs(List.of(shape.rows(), shape.columns())));
              members.put("padded", longs(List.of(shape.paddedRows(), shape.paddedColumns())));
              if (placement.layout() instanceof StridedLayout strided) {
                var strides = strided.strides(shape);
                members.put(
                    "strides",
                    object(
                        "rows", longs(boxed(strides.rows())),
                        "row_tile", Json.of(strides.rowTile()),
                        "columns", longs(boxed(strides.columns())),
                        "column_tile", Json.of(strides.columnTile())));
              }
            });
    members.put("sha256", Json.of(sha256));
    return Json.Obj.of(members);
  }

  private static List<Long> boxed(long[] values) {
    return Arrays.stream(values).boxed().toList();
  }

  private static Json longs(List<Long> values) {
    return Json.of(values.stream().map(Json::of).toList());
  }

  private static Json.Obj object(Object... namesAndValues) {
    Map<String, Json> members = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      members.put((String) namesAndValues[i], (Json) namesAndValues[i + 1]);
    }
    return Json.Obj.of(members);
  }

  /**
   * Reads the file of a packed checkpoint.
   *
   * @throws CheckpointException when it is missing or not of this kind, or names a place outside
   *     the folder
   */
  static LayoutFile read(Path folder) {
    Path path = folder.resolve(NAME);
    if (!Files.isRegularFile(path)) {
      throw new CheckpointException(
          folder.toString(),
          "expected a packed checkpoint with a " + NAME + ", found none",
          "Give the folder or the archive that quern pack made.");
    }
    Json.Obj root = JsonReader.readObject(path);
    if (!root.string("schema").orElse("").equals(SCHEMA)) {
      throw invalid(root, "expected \"schema\": \"" + SCHEMA + "\"");
    }
    List<Shard> shards = new ArrayList<>();
    for (Json.Obj shard : objects(root, "shards")) {
      long bytes = shard.integer("bytes").orElseThrow(() -> invalid(shard, "expected \"bytes\""));
      String file = plainName(shard, "file");
      if (!file.endsWith(".safetensors")) {
        throw invalid(shard, "expected a .safetensors file, found " + JsonWriter.quote(file));
      }
      shards.add(new Shard(file, plainName(shard, "packed"), bytes));
    }
    Map<String, String> files = new LinkedHashMap<>();
    for (Json.Obj file : objects(root, "files")) {
      String name = text(file, "file");
      for (String part : name.split("/", -1)) {
        requirePlain(file, part);
      }
      files.put(name, text(file, "sha256"));
    }
    Map<String, Module> modules = new LinkedHashMap<>();
    for (Json.Obj module : objects(root, "modules")) {
      Map<String, String> digests = new LinkedHashMap<>();
      for (Json.Obj tensor : objects(module, "tensors")) {
        digests.put(text(tensor, "name"), text(tensor, "sha256"));
      }
      modules.put(text(module, "name"), new Module(text(module, "layout"), digests));
    }
    Map<String, String> carried = new LinkedHashMap<>();
    for (Json.Obj tensor : objects(root, "carried")) {
      carried.put(text(tensor, "name"), text(tensor, "sha256"));
    }
    return new LayoutFile(shards, files, modules, carried);
  }

  private static List<Json.Obj> objects(Json.Obj root, String name) {
    List<Json.Obj> objects = new ArrayList<>();
    for (Json item :
        root.array(name).orElseThrow(() -> invalid(root, "expected \"" + name + "\""))) {
      if (!(item instanceof Json.Obj object)) {
        throw invalid(root, "expected objects in \"" + name + "\"");
      }
      objects.add(object);
    }
    return objects;
  }

  private static String text(Json.Obj object, String name) {
    return object.string(name).orElseThrow(() -> invalid(object, "expected \"" + name + "\""));
  }

  /** The name of a file in the folder itself. */
  private static String plainName(Json.Obj object, String name) {
    String value = text(object, name);
    requirePlain(object, value);
    return value;
  }

  private static void requirePlain(Json.Obj object, String name) {
    if (name.isEmpty()
        || name.equals(".")
        || name.equals("..")
        || name.contains("/")
        || name.contains("\\")
        || name.indexOf('\0') >= 0) {
      throw invalid(object, "expected the plain name of a file, found " + JsonWriter.quote(name));
    }
  }

  private static CheckpointException invalid(Json.Obj object, String problem) {
    return new CheckpointException(
        object.where(), problem, "The file is damaged; pack the checkpoint again.");
  }
}
