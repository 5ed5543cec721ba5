package dev.quern.formats.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Utf8Text;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A model's {@code tokenizer.json}.
 *
 * <p>The first one that is opened loads the native library from its jar. It is unpacked once to
 * {@code ~/.djl.ai}, or to the folder that the system property {@code DJL_CACHE_DIR} names.
 *
 * <p>Truncation and padding that the file asks for are switched off, as transformers does by
 * default. Texts become the ids that transformers' fast tokenizer of the same file gives.
 */
public final class Tokenizer implements AutoCloseable {
  /**
   * The largest {@code tokenizer.json} that is read, in bytes; those of large models have 35 MB.
   */
  public static final int MAX_BYTES = 1 << 28;

  private static final String NAME = "tokenizer.json";
  private static final String IDS_INSTEAD =
      "or give calibration data as token ids, which need no tokenizer.";

  private final Path file;
  private final HuggingFaceTokenizer tokenizer;

  private Tokenizer(Path file, HuggingFaceTokenizer tokenizer) {
    this.file = file;
    this.tokenizer = tokenizer;
  }

  /**
   * Opens the tokenizer of a model folder.
   *
   * @throws CheckpointException when there is none, it is broken, or this machine cannot run the
   *     native library
   */
  public static Tokenizer open(Path modelFolder) {
    Path file = modelFolder.resolve(NAME);
    if (!Files.isRegularFile(file)) {
      boolean sentencePiece = Files.exists(modelFolder.resolve("tokenizer.model"));
      throw new CheckpointException(
          file.toString(),
          "no such file"
              + (sentencePiece ? "; found tokenizer.model, which only SentencePiece reads" : ""),
          "Save the model's tokenizer with transformers, which writes tokenizer.json, "
              + IDS_INSTEAD);
    }
    byte[] bytes = read(file);
    // Before the library's first class: it would ask the cloud's metadata service where it runs,
    // and look for a build for the machine's GPU.
    setIfAbsent("ai.djl.offline", "true");
    setIfAbsent("RUST_FLAVOR", "cpu");
    try {
      return new Tokenizer(
          file,
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(bytes), Map.of("truncation", "false", "padding", "false")));
    } catch (LinkageError | ai.djl.engine.EngineException e) {
      throw new CheckpointException(
          file.toString(),
          "the native tokenizer library cannot be loaded here (" + root(e) + ")",
          "It is there for Linux on x86-64 and aarch64 and macOS on aarch64; check that ~/.djl.ai"
              + " can be written, name another folder with -DDJL_CACHE_DIR=FOLDER, "
              + IDS_INSTEAD,
          e);
    } catch (IOException | RuntimeException e) {
      throw new CheckpointException(
          file.toString(),
          "not a tokenizer that the tokenizers library can read (" + root(e) + ")",
          "Take the file from the model's original source, " + IDS_INSTEAD,
          e);
    }
  }

  private static byte[] read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new CheckpointException(
            file.toString(),
            "expected at most " + MAX_BYTES + " bytes, found more",
            "Check that this is the model's tokenizer.");
      }
      // The library's message for it names neither file nor byte.
      Utf8Text.decode(bytes, file.toString(), 0, "Take the file from the model's original source.");
      return bytes;
    } catch (IOException e) {
      throw new CheckpointException(
          file.toString(), "cannot be read (" + e + ")", "Check permissions and the disk.", e);
    }
  }

  private static void setIfAbsent(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  private static String root(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }

  /**
   * The ids of a text.
   *
   * @param text well-formed Unicode
   * @param addSpecialTokens whether to add what the file's post-processor adds, mostly a token for
   *     the beginning. Names of special tokens in the text become these tokens either way.
   * @return ids, each from 0 on; as many as there are
   * @throws CheckpointException when the library refuses the text
   */
  public int[] encode(String text, boolean addSpecialTokens) {
    long[] ids;
    try {
      ids = tokenizer.encode(text, addSpecialTokens, false).getIds();
    } catch (RuntimeException e) {
      throw new CheckpointException(
          file.toString(),
          "the tokenizers library refuses a text (" + root(e) + ")",
          "Take the file from the model's original source, " + IDS_INSTEAD,
          e);
    }
    int[] result = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      result[i] = Math.toIntExact(ids[i]);
    }
    return result;
  }

  /** The text of ids, special tokens left out. */
  public String decode(int[] ids) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    return tokenizer.decode(wide, true);
  }

  /** Frees the native tokenizer. */
  @Override
  public void close() {
    tokenizer.close();
  }
}
