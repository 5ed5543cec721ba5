package dev.quern.pipeline.calibration;

import dev.quern.formats.safetensors.TensorSpec;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a calibration that was killed has left of its finished layers, so that the next run of the
 * same command goes on from there.
 *
 * <pre>
 *   fingerprint   text: of which command, model and samples
 *   layer-K       tensors, reports and warnings of layer K       (LayerRecord)
 *   states-K      hidden states of all samples before layer K    (ActivationStore.save)
 * </pre>
 *
 * <p>A layer is finished when {@code layer-K} has its name: it is written under another one, forced
 * to the disk, and renamed, after {@code states-(K+1)} went the same way. Only then are the states
 * before it removed. So at any moment there are records of layers 0 to K and the states after K, or
 * nothing is lost but the layer that was being worked on. Every file ends with a checksum; one that
 * does not hold counts as absent.
 *
 * <p>The states after the last layer are nobody's input and are not written.
 */
public final class Journal implements AutoCloseable {
  private static final String FINGERPRINT = "fingerprint";
  private static final String LAYER = "layer-";
  private static final String STATES = "states-";
  private static final String UNFINISHED = ".tmp";

  private final Optional<Path> kept;
  private final String fingerprint;
  private final int finished;
  private final Optional<String> note;
  private int committed;

  private Journal(Optional<Path> kept, String fingerprint, int finished, Optional<String> note) {
    this.kept = kept;
    this.fingerprint = fingerprint;
    this.finished = finished;
    this.note = note;
    committed = finished;
  }

  /**
   * A journal that keeps nothing.
   *
   * @param note why, a sentence
   */
  public static Journal none(String note) {
    return new Journal(Optional.empty(), "", 0, Optional.of(note));
  }

  /**
   * Opens what is there; what is of no use is removed. Nothing is made before a layer begins.
   *
   * @param folder in which nothing else may lie
   * @param fingerprint of all that decides the results
   * @param layers how many layers a whole run has
   * @throws IOException when what is there cannot be read, or not be removed
   */
  public static Journal open(Path folder, String fingerprint, int layers) throws IOException {
    Optional<String> found = fingerprint(folder);
    if (found.equals(Optional.of(fingerprint))) {
      int finished = finished(folder, layers);
      if (finished > 0) {
        return new Journal(Optional.of(folder), fingerprint, finished, Optional.empty());
      }
    }
    Optional<String> note =
        found.isPresent() && !found.get().equals(fingerprint)
            ? Optional.of(
                folder
                    + ": was left by a run with other options, another model or other samples; it"
                    + " is not resumed but replaced")
            : Optional.empty();
    remove(folder);
    return new Journal(Optional.of(folder), fingerprint, 0, note);
  }

  private static void begin(Path folder, String fingerprint) throws IOException {
    if (!Files.exists(folder.resolve(FINGERPRINT))) {
      Files.createDirectories(folder);
      replace(
          folder.resolve(FINGERPRINT),
          unfinished -> Files.writeString(unfinished, fingerprint, StandardCharsets.UTF_8));
    }
  }

  private static Optional<String> fingerprint(Path folder) throws IOException {
    try {
      return Optional.of(Files.readString(folder.resolve(FINGERPRINT), StandardCharsets.UTF_8));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** Layers with a sound record, from the first on, as far as the states after them are there. */
  private static int finished(Path folder, int layers) {
    int sound = 0;
    while (sound < layers && LayerRecord.isSound(folder.resolve(LAYER + sound))) {
      sound++;
    }
    if (sound == layers) {
      return sound;
    }
    while (sound > 0 && !Files.isRegularFile(folder.resolve(STATES + sound))) {
      sound--;
    }
    return sound;
  }

  /** How many layers, from the first on, need not be computed again. */
  public int finished() {
    return finished;
  }

  /** Why what was there is not used, a sentence; empty when nothing was. */
  public Optional<String> note() {
    return note;
  }

  /**
   * Hands on what the finished layers gave, in their order.
   *
   * @param outputs all tensors that they may have given, by name
   * @throws IOException when a record cannot be read
   */
  void replay(Map<String, TensorSpec> outputs, Sink sink, LayerRecord.Texts texts)
      throws IOException {
    for (int layer = 0; layer < finished; layer++) {
      LayerRecord.replay(kept.orElseThrow().resolve(LAYER + layer), outputs, sink, texts);
    }
  }

  /**
   * Puts the states before the first layer that is not finished into the store.
   *
   * @throws IOException when they cannot be read or are damaged
   */
  void restore(ActivationStore states) throws IOException {
    states.load(kept.orElseThrow().resolve(STATES + finished));
  }

  /**
   * Begins the record of a layer.
   *
   * @throws IOException when it cannot be written
   */
  LayerRecord begin(int layer) throws IOException {
    if (kept.isEmpty()) {
      return LayerRecord.forgotten();
    }
    Path folder = kept.get();
    begin(folder, fingerprint);
    return LayerRecord.create(folder.resolve(LAYER + layer + UNFINISHED));
  }

  /**
   * Ends the record of a layer: from now on it is finished.
   *
   * @param next states before the next layer; empty after the last
   * @throws IOException when it cannot be written
   */
  void commit(int layer, LayerRecord record, Optional<ActivationStore> next) throws IOException {
    record.complete();
    if (kept.isEmpty()) {
      return;
    }
    Path folder = kept.get();
    if (next.isPresent()) {
      replace(folder.resolve(STATES + (layer + 1)), next.get()::save);
    }
    force(folder.resolve(LAYER + layer + UNFINISHED));
    move(folder.resolve(LAYER + layer + UNFINISHED), folder.resolve(LAYER + layer));
    Files.deleteIfExists(folder.resolve(STATES + layer));
    committed = layer + 1;
  }

  /** How many layers a later run would find finished, should this one stop now. */
  public int committed() {
    return committed;
  }

  /** Removes a journal without a finished layer; any other stays for the next run. */
  @Override
  public void close() throws IOException {
    if (committed == 0 && kept.isPresent()) {
      remove(kept.get());
    }
  }

  /**
   * Removes a journal, if there is one: after the output has its name, nothing is to be resumed.
   *
   * @throws IOException when it cannot be removed
   */
  public static void remove(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    // Without its fingerprint the rest is of no use, should this be killed.
    Files.deleteIfExists(folder.resolve(FINGERPRINT));
    List<Path> files;
    try (Stream<Path> list = Files.list(folder)) {
      files = list.toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
    Files.delete(folder);
  }

  /** Writes a file that is either there as a whole or not at all. */
  private static void replace(Path file, Write write) throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + UNFINISHED);
    write.to(unfinished);
    force(unfinished);
    move(unfinished, file);
  }

  private static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    try {
      force(to.getParent());
    } catch (IOException e) {
      // Some systems cannot force folders.
    }
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @FunctionalInterface
  private interface Write {
    void to(Path file) throws IOException;
  }
}
