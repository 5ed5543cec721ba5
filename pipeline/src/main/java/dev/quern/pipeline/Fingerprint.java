package dev.quern.pipeline;

import dev.quern.formats.calibration.CalibrationSet;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What decides the results of a calibration, in one line: two runs with the same one compute the
 * same bytes. Files of weights count by name, size and time of their last change, as for {@code
 * make}; config.json, recipe and samples by what is in them. Threads, memory, shards and the place
 * of the output decide nothing.
 */
final class Fingerprint {
  private final MessageDigest digest;

  private Fingerprint() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  static String of(
      HuggingFaceCheckpoint checkpoint,
      CompressionPlan plan,
      CalibrationSet samples,
      boolean propagate) {
    Fingerprint all = new Fingerprint();
    all.add("version", String.valueOf(Fingerprint.class.getPackage().getImplementationVersion()));
    all.add("config", JsonWriter.compact(checkpoint.config()));
    for (SafetensorsFile file : checkpoint.files()) {
      all.add("file", file(file.path()));
    }
    all.add("recipe", plan.recipe());
    plan.tensors().forEach(tensor -> all.add("tensor", tensor.toString()));
    all.add("samples", samples.digest());
    all.add("propagate", Boolean.toString(propagate));
    return HexFormat.of().formatHex(all.digest.digest());
  }

  private static String file(Path path) {
    try {
      return path.getFileName()
          + " "
          + Files.size(path)
          + " "
          + Files.getLastModifiedTime(path).toInstant();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Key and length keep neighbours apart. */
  private void add(String key, String value) {
    digest.update(
        (key + " " + value.length() + " " + value + "\n").getBytes(StandardCharsets.UTF_8));
  }
}
