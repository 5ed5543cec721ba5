package dev.quern.formats.safetensors;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.safetensors.HeaderParser.Entry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * What must hold of a header's entries before a byte of tensor data is touched. {@link #run} is the
 * list of checks; each has a message of its own.
 */
final class HeaderChecks {
  private static final String TRUNCATED =
      "The file is damaged or was cut off while it was written or fetched; fetch it again.";

  private final Path file;
  private final HeaderParser header;
  private final long dataBytes;

  private HeaderChecks(Path file, HeaderParser header, long dataBytes) {
    this.file = file;
    this.header = header;
    this.dataBytes = dataBytes;
  }

  /**
   * Runs all checks.
   *
   * @param dataBytes bytes of the file after its header
   * @return the tensors by offset, which is file order
   */
  static List<TensorInfo> run(Path file, HeaderParser header, long dataBytes) {
    HeaderChecks checks = new HeaderChecks(file, header, dataBytes);
    List<Entry> entries = new ArrayList<>(header.entries());
    // Stable: tensors without bytes keep the header's order among themselves.
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    List<TensorInfo> tensors = new ArrayList<>(entries.size());
    for (Entry entry : entries) {
      DType dtype = checks.knownType(entry);
      long elements = checks.countedElements(entry);
      long bytes = checks.wholeBytes(entry, dtype, elements);
      checks.beginNotAfterEnd(entry);
      checks.sizeAgrees(entry, dtype, bytes);
      tensors.add(new TensorInfo(entry.name(), dtype, entry.shape(), entry.begin(), entry.end()));
    }
    checks.noHoleNoOverlap(entries);
    checks.endsWithFile(entries);
    return List.copyOf(tensors);
  }

  private DType knownType(Entry entry) {
    return DType.named(entry.dtype())
        .orElseThrow(
            () ->
                refuse(
                    entry,
                    "unknown dtype "
                        + JsonWriter.quote(entry.dtype())
                        + "; expected one of "
                        + Arrays.toString(DType.values()),
                    "Convert the tensor to one of these types, or use a release that knows it."));
  }

  private long countedElements(Entry entry) {
    try {
      return TensorSize.elements(entry.shape());
    } catch (ArithmeticException e) {
      throw refuse(
          entry,
          "shape " + shown(entry) + " has more elements than 64 bits count",
          HeaderParser.REMEDY);
    }
  }

  private long wholeBytes(Entry entry, DType dtype, long elements) {
    long bits;
    try {
      bits = TensorSize.bits(dtype, elements);
    } catch (ArithmeticException e) {
      throw refuse(
          entry,
          dtype + " " + shown(entry) + " has more bits than 64 bits count",
          HeaderParser.REMEDY);
    }
    if (bits % 8 != 0) {
      throw refuse(
          entry,
          dtype + " " + shown(entry) + " takes " + bits + " bits; expected whole bytes",
          HeaderParser.REMEDY);
    }
    return bits / 8;
  }

  private void beginNotAfterEnd(Entry entry) {
    if (entry.begin() > entry.end()) {
      throw refuse(entry, offsets(entry) + " end before they begin", HeaderParser.REMEDY);
    }
  }

  private void sizeAgrees(Entry entry, DType dtype, long bytes) {
    long span = entry.end() - entry.begin();
    if (span != bytes) {
      throw refuse(
          entry,
          dtype
              + " "
              + shown(entry)
              + " takes "
              + bytes
              + " bytes, but "
              + offsets(entry)
              + " span "
              + span,
          HeaderParser.REMEDY);
    }
  }

  private void noHoleNoOverlap(List<Entry> sorted) {
    long expected = 0;
    for (Entry entry : sorted) {
      if (entry.begin() != expected) {
        String what =
            entry.begin() < expected ? "overlap the tensor before" : "leave a hole before";
        throw refuse(
            entry,
            offsets(entry)
                + " "
                + what
                + "; expected begin "
                + expected
                + ", found "
                + entry.begin(),
            HeaderParser.REMEDY);
      }
      expected = entry.end();
    }
  }

  private void endsWithFile(List<Entry> sorted) {
    long end = sorted.isEmpty() ? 0 : sorted.getLast().end();
    if (end != dataBytes) {
      String last =
          sorted.isEmpty() ? "" : "tensor " + JsonWriter.quote(sorted.getLast().name()) + ": ";
      throw new CheckpointException(
          sorted.isEmpty() ? file.toString() : header.place(sorted.getLast()),
          last
              + "the header promises "
              + end
              + " bytes of tensor data, found "
              + dataBytes
              + (dataBytes < end ? " (" + (end - dataBytes) + " missing)" : ""),
          dataBytes < end ? TRUNCATED : HeaderParser.REMEDY);
    }
  }

  private CheckpointException refuse(Entry entry, String problem, String remedy) {
    return new CheckpointException(
        header.place(entry), "tensor " + JsonWriter.quote(entry.name()) + ": " + problem, remedy);
  }

  private static String offsets(Entry entry) {
    return "data_offsets [" + entry.begin() + ", " + entry.end() + "]";
  }

  /** A shape for a message; a hostile one may have millions of dimensions. */
  private static String shown(Entry entry) {
    List<Long> shape = entry.shape();
    return shape.size() <= 16
        ? shape.toString()
        : shape.subList(0, 16) + "... (" + shape.size() + " dimensions)";
  }
}
