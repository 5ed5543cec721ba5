package dev.quern.cli;

import static dev.quern.cli.HostileCase.Scene;

import dev.quern.testdata.TinyCheckpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Model folders whose files do not belong together. */
final class HostileFolders {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String SAME_REVISION = "must come from the same revision";
  private static final String CORRECT = "Correct the file";
  private static final String UNTRUSTED = "do not use this checkpoint if you do not trust";

  private HostileFolders() {}

  static List<HostileCase> cases() {
    List<HostileCase> cases = new ArrayList<>();
    add(cases, "no such folder", "in: no such folder", "Give the path of a model folder", s -> {});
    add(
        cases,
        "model that is a file",
        "in: expected a model folder, found a file",
        "Give the folder that holds config.json",
        scene -> Files.writeString(scene.in(), "{}"));
    add(
        cases,
        "empty folder",
        "expected a config.json, found none",
        "Give the folder of a Hugging Face model",
        scene -> Files.createDirectory(scene.in()));
    config(cases, "no config.json", "config.json", "fetch config.json", null);
    config(cases, "empty config.json", "config.json", CORRECT, "");
    config(cases, "config.json that is no JSON", "config.json", CORRECT, "{\"model_type\": }");
    config(cases, "config.json that is a list", "config.json", CORRECT, "[]");
    config(cases, "config.json that is a text", "config.json", CORRECT, "\"llama\"");
    config(cases, "config.json with a key twice", "config.json", CORRECT, "{\"a\": 1, \"a\": 2}");
    config(
        cases,
        "quantized in a way that is not read",
        "config.json, quantization_config: the checkpoint is quantized with quant_method hqq",
        "Give the checkpoint that it was made from",
        "{\"quantization_config\": {\"quant_method\": \"hqq\"}}");
    config(
        cases,
        "quantized in name only",
        "config.json: says that the model is quantized (compressed-tensors), found plain tensors",
        "Remove quantization_config",
        "{\"compression_config\": {}}");
    config(
        cases,
        "quantization_config that is a list",
        "quantization_config",
        CORRECT,
        "{\"quantization_config\": []}");
    add(
        cases,
        "no weights",
        "found no weights at all",
        "Check that the download is complete",
        scene -> TinyCheckpoint.writeText(scene.in(), "config.json", "{}"));
    add(
        cases,
        "weights as .bin only",
        "found pytorch_model.bin",
        "Convert the model to safetensors first",
        scene -> {
          TinyCheckpoint.writeText(scene.in(), "config.json", "{}");
          Files.write(scene.in().resolve("pytorch_model.bin"), new byte[10]);
        });
    add(
        cases,
        "shards without an index",
        "found only model-00001-of-00002.safetensors",
        "Add the missing index",
        scene -> {
          TinyCheckpoint.llama("BF16").writeTwoShards(scene.in());
          Files.delete(scene.in().resolve(INDEX));
        });
    add(
        cases,
        "missing shard",
        "model-00002-of-00002.safetensors",
        "fetch the missing file",
        scene -> {
          TinyCheckpoint.llama("BF16").writeTwoShards(scene.in());
          Files.delete(scene.in().resolve(TinyCheckpoint.shardName(2)));
        });
    add(
        cases,
        "truncated shard",
        "model-00002-of-00002.safetensors",
        "fetch it again",
        scene -> {
          TinyCheckpoint.llama("BF16").writeTwoShards(scene.in());
          Path shard = scene.in().resolve(TinyCheckpoint.shardName(2));
          byte[] bytes = Files.readAllBytes(shard);
          Files.write(shard, Arrays.copyOf(bytes, bytes.length / 2));
        });
    add(
        cases,
        "shard that is a folder",
        "model-00002-of-00002.safetensors: expected a file, found a folder",
        "Give the path of a .safetensors file",
        scene -> {
          TinyCheckpoint.llama("BF16").writeTwoShards(scene.in());
          Files.delete(scene.in().resolve(TinyCheckpoint.shardName(2)));
          Files.createDirectory(scene.in().resolve(TinyCheckpoint.shardName(2)));
        });
    index(cases, "index names a tensor that is nowhere", "ghost", SAME_REVISION, "ghost", 1);
    index(
        cases,
        "index names the wrong shard",
        "found it in model-00001-of-00002.safetensors",
        SAME_REVISION,
        "model.embed_tokens.weight",
        2);
    add(
        cases,
        "index leaves a tensor out",
        "model.embed_tokens.weight",
        SAME_REVISION,
        scene -> {
          TinyCheckpoint.llama("BF16").writeTwoShards(scene.in());
          edit(
              scene,
              INDEX,
              "\"model.embed_tokens.weight\": \"model-00001-of-00002.safetensors\",",
              "");
        });
    add(
        cases,
        "tensor in two shards",
        "\"model.norm.weight\" is also in model-00001-of-00002.safetensors",
        SAME_REVISION,
        scene -> {
          TinyCheckpoint tiny = TinyCheckpoint.llama("BF16");
          tiny.writeTwoShards(scene.in());
          List<String> names = new ArrayList<>(tiny.names().subList(0, tiny.names().size() / 2));
          names.add("model.norm.weight");
          tiny.writeShard(scene.in(), TinyCheckpoint.shardName(1), names);
        });
    shardNamed(cases, "index that climbs out", "../x.safetensors");
    shardNamed(cases, "index with an absolute path", "/etc/x.safetensors");
    shardNamed(cases, "index with a folder", "sub/x.safetensors");
    shardNamed(cases, "index that names no safetensors file", "pytorch_model.bin");
    indexText(cases, "index that is no JSON", CORRECT, "{\"weight_map\": ");
    indexText(cases, "index without a map", "Fetch the index again", "{\"metadata\": {}}");
    indexText(cases, "index whose map is a list", CORRECT, "{\"weight_map\": []}");
    indexText(cases, "index with a number for a file", CORRECT, "{\"weight_map\": {\"a\": 1}}");
    add(
        cases,
        "link out of the folder",
        "tokenizer.json",
        "Replace the link by the file",
        scene -> {
          scene.sound();
          Files.writeString(scene.root().resolve("secret"), "secret");
          Files.createSymbolicLink(
              scene.in().resolve("tokenizer.json"), scene.root().resolve("secret"));
        });
    add(
        cases,
        "weights that are a link out of the folder",
        "model.safetensors",
        "Replace the link by the file",
        scene -> {
          scene.sound();
          Path elsewhere = scene.root().resolve("elsewhere.safetensors");
          Files.move(scene.in().resolve("model.safetensors"), elsewhere);
          Files.createSymbolicLink(scene.in().resolve("model.safetensors"), elsewhere);
        });
    add(
        cases,
        "link to nothing",
        "tokenizer.json",
        "Fetch the model again",
        scene -> {
          scene.sound();
          Files.createSymbolicLink(scene.in().resolve("tokenizer.json"), Path.of("nothing"));
        });
    return cases;
  }

  private static void add(
      List<HostileCase> cases,
      String name,
      String place,
      String remedy,
      HostileCase.Damage damage) {
    cases.add(new HostileCase(name, ExitCode.INPUT, place, remedy, damage));
  }

  /** A checkpoint with this config.json, or none. */
  private static void config(
      List<HostileCase> cases, String name, String place, String remedy, String text) {
    add(
        cases,
        name,
        place,
        remedy,
        scene -> {
          scene.sound();
          if (text == null) {
            Files.delete(scene.in().resolve("config.json"));
          } else {
            Files.writeString(scene.in().resolve("config.json"), text);
          }
        });
  }

  /** An index in which one tensor is said to be in shard 1 or 2. */
  private static void index(
      List<HostileCase> cases, String name, String place, String remedy, String tensor, int shard) {
    add(
        cases,
        name,
        place,
        remedy,
        scene -> {
          TinyCheckpoint.llama("BF16").writeTwoShards(scene.in());
          edit(
              scene,
              INDEX,
              "\"model.embed_tokens.weight\": \"" + TinyCheckpoint.shardName(1) + "\"",
              (tensor.equals("ghost")
                      ? "\"model.embed_tokens.weight\": \"" + TinyCheckpoint.shardName(1) + "\","
                      : "")
                  + "\""
                  + tensor
                  + "\": \""
                  + TinyCheckpoint.shardName(shard)
                  + "\"");
        });
  }

  private static void shardNamed(List<HostileCase> cases, String name, String file) {
    add(
        cases,
        name,
        "found \"" + file + "\"",
        UNTRUSTED,
        scene -> {
          scene.sound();
          TinyCheckpoint.writeIndex(scene.in(), List.of("\"a\": \"" + file + "\""));
        });
  }

  private static void indexText(List<HostileCase> cases, String name, String remedy, String text) {
    add(
        cases,
        name,
        INDEX,
        remedy,
        scene -> {
          scene.sound();
          Files.writeString(scene.in().resolve(INDEX), text);
        });
  }

  private static void edit(Scene scene, String file, String from, String to) throws Exception {
    Path path = scene.in().resolve(file);
    String text = Files.readString(path);
    if (!text.contains(from)) {
      throw new IllegalStateException(from + " is not in " + file);
    }
    Files.writeString(path, text.replace(from, to));
  }
}
