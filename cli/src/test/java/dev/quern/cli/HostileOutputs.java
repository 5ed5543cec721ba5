package dev.quern.cli;

import dev.quern.testdata.TinyCheckpoint;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Places where nothing can be written, or must not be. */
final class HostileOutputs {
  private static final String ELSEWHERE = "Name a folder elsewhere";

  private HostileOutputs() {}

  static List<HostileCase> cases() {
    List<HostileCase> cases = new ArrayList<>();
    add(
        cases,
        "output that is not empty",
        "out: exists already and is not empty",
        "give --overwrite",
        scene -> TinyCheckpoint.llama("BF16").write(scene.out()));
    add(
        cases,
        "output that is a file",
        "out: is a file",
        "Name another folder",
        scene -> Files.writeString(scene.out(), "mine"));
    add(
        cases,
        "output that is a file, with leave to overwrite",
        "out: is a file",
        "Name another folder",
        scene -> {
          Files.writeString(scene.out(), "mine");
          scene.also("--overwrite");
        });
    add(
        cases,
        "output that is a link to nothing",
        "out: is a symbolic link to nothing",
        "Remove the link",
        scene -> Files.createSymbolicLink(scene.out(), Path.of("nothing")));
    add(
        cases,
        "overwrite of what is no checkpoint",
        "there is no config.json in it",
        "remove it yourself",
        scene -> {
          TinyCheckpoint.writeText(scene.out(), "thesis.txt", "years of work");
          scene.also("--overwrite");
        });
    add(
        cases,
        "output that is the source",
        "in: lies in the source folder or around it",
        ELSEWHERE,
        scene -> {
          scene.output(scene.in());
          scene.also("--overwrite");
        });
    add(
        cases,
        "output inside the source",
        "lies in the source folder or around it",
        ELSEWHERE,
        scene -> scene.output(scene.in().resolve("fp8/now")));
    add(
        cases,
        "output around the source",
        "lies in the source folder or around it",
        ELSEWHERE,
        scene -> {
          scene.output(scene.root());
          scene.also("--overwrite");
        });
    add(
        cases,
        "output inside the source by a detour",
        "lies in the source folder or around it",
        ELSEWHERE,
        scene -> scene.output(scene.root().resolve("nowhere/../in/fp8")));
    add(
        cases,
        "output inside the source by a link",
        "lies in the source folder or around it",
        ELSEWHERE,
        scene -> {
          Files.createSymbolicLink(scene.root().resolve("link"), scene.in());
          scene.output(scene.root().resolve("link/fp8"));
        });
    add(
        cases,
        "output below a file",
        "file/out: cannot be written",
        "Check that the folder exists and may be written",
        scene -> {
          Files.writeString(scene.root().resolve("file"), "mine");
          scene.output(scene.root().resolve("file/out"));
        });
    add(
        cases,
        "name too long for the disk",
        "aaaa: cannot be written",
        "Check that the folder exists and may be written",
        scene -> scene.output(scene.root().resolve("a".repeat(300))));
    add(
        cases,
        "name too long for the hidden folder beside it",
        "aaaa: cannot be written",
        "Check that the folder exists and may be written",
        scene -> scene.output(scene.root().resolve("a".repeat(242))));
    add(
        cases,
        "output that is the root",
        "/: is a root folder",
        "Name a new folder",
        scene -> scene.output(Path.of("/")));
    if (Files.isDirectory(Path.of("/proc/self"))) {
      add(
          cases,
          "output that is a mounted file system",
          "/proc: is where a file system is mounted",
          "Name a folder inside it",
          scene -> scene.output(Path.of("/proc")));
    }
    add(
        cases,
        "disk smaller than the result",
        "out: needs ",
        "Make room",
        scene -> sparse(scene.in(), 2 * Files.getFileStore(scene.root()).getUsableSpace()));
    return cases;
  }

  /** A checkpoint with an embedding larger than the disk, which takes no room itself. */
  private static void sparse(Path folder, long free) throws Exception {
    long rows = free / 1024 + 1;
    long bytes = rows * 1024 + 32 * 32 * 2;
    String embedding = entry("model.embed_tokens.weight", rows, 512, 0);
    String header = "{" + embedding + "," + entry(TinyCheckpoint.Q_PROJ, 32, 32, rows * 1024) + "}";
    byte[] text = header.getBytes(StandardCharsets.US_ASCII);
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      file.setLength(0);
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
      file.write(text);
      file.setLength(8 + text.length + bytes);
    }
  }

  private static String entry(String name, long rows, long cols, long begin) {
    String shape = "[" + rows + "," + cols + "]";
    String offsets = "[" + begin + "," + (begin + 2 * rows * cols) + "]";
    return "\""
        + name
        + "\":{\"dtype\":\"BF16\",\"shape\":"
        + shape
        + ",\"data_offsets\":"
        + offsets
        + "}";
  }

  private static void add(
      List<HostileCase> cases,
      String name,
      String place,
      String remedy,
      HostileCase.Damage damage) {
    cases.add(
        new HostileCase(
            name,
            ExitCode.OUTPUT,
            place,
            remedy,
            scene -> {
              scene.sound();
              damage.apply(scene);
            }));
  }
}
