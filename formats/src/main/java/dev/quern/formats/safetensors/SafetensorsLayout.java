package dev.quern.formats.safetensors;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * Where every byte of a file will be, known before the first tensor is computed.
 *
 * <p>Tensors stand by element type in descending order of {@link dev.quern.engine.numeric.DType}
 * (which follows the reference implementation's own list), then by name in byte order. The header
 * names {@code __metadata__} first, has no spaces, and is padded with spaces to a multiple of eight
 * bytes. Equal tensors therefore give equal files, and those of the reference implementation.
 */
public final class SafetensorsLayout {
  private static final Comparator<TensorSpec> FILE_ORDER =
      Comparator.comparing(TensorSpec::dtype)
          .reversed()
          .thenComparing(TensorSpec::name, JsonWriter.byCodePoint());

  private final List<TensorInfo> tensors;
  private final byte[] header;
  private final long dataBytes;

  private SafetensorsLayout(List<TensorInfo> tensors, byte[] header, long dataBytes) {
    this.tensors = tensors;
    this.header = header;
    this.dataBytes = dataBytes;
  }

  /**
   * Lays out a file.
   *
   * @param specs the tensors in any order
   * @param metadata free texts; an empty map writes no {@code __metadata__} at all
   * @throws IllegalArgumentException when a name occurs twice
   * @throws CheckpointException when the header would be longer than readers accept
   */
  public static SafetensorsLayout of(
      Collection<TensorSpec> specs, SortedMap<String, String> metadata) {
    List<TensorInfo> tensors = new ArrayList<>(specs.size());
    long at = 0;
    for (TensorSpec spec : specs.stream().sorted(FILE_ORDER).toList()) {
      long end = Math.addExact(at, spec.bytes());
      tensors.add(new TensorInfo(spec.name(), spec.dtype(), spec.shape(), at, end));
      at = end;
    }
    byte[] header = header(tensors, metadata);
    if (header.length - Header.PREFIX_BYTES > Header.MAX_BYTES) {
      throw new CheckpointException(
          "safetensors header",
          tensors.size()
              + " tensors need a header of "
              + (header.length - Header.PREFIX_BYTES)
              + " bytes; readers accept at most "
              + Header.MAX_BYTES,
          "Use smaller shards, so that each file holds fewer tensors.");
    }
    return new SafetensorsLayout(List.copyOf(tensors), header, at);
  }

  private static byte[] header(List<TensorInfo> tensors, SortedMap<String, String> metadata) {
    Map<String, Json> members = new LinkedHashMap<>();
    if (!metadata.isEmpty()) {
      Map<String, Json> texts = new LinkedHashMap<>();
      metadata.forEach((key, value) -> texts.put(key, Json.of(value)));
      members.put(Header.METADATA, Json.Obj.of(texts));
    }
    for (TensorInfo tensor : tensors) {
      if (members.put(tensor.name(), entry(tensor)) != null) {
        throw new IllegalArgumentException(
            "tensor name " + JsonWriter.quote(tensor.name()) + " occurs twice");
      }
    }
    byte[] json = JsonWriter.compact(Json.Obj.of(members)).getBytes(StandardCharsets.UTF_8);
    int padded = Math.ceilDiv(json.length, 8) * 8;
    byte[] header = new byte[Header.PREFIX_BYTES + padded];
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json);
    Arrays.fill(header, Header.PREFIX_BYTES + json.length, header.length, (byte) ' ');
    return header;
  }

  private static Json entry(TensorInfo tensor) {
    Map<String, Json> entry = new LinkedHashMap<>();
    entry.put(Header.DTYPE, Json.of(tensor.dtype().name()));
    entry.put(Header.SHAPE, Json.of(tensor.shape().stream().map(Json::of).toList()));
    entry.put(Header.OFFSETS, Json.of(List.of(Json.of(tensor.begin()), Json.of(tensor.end()))));
    return Json.Obj.of(entry);
  }

  /** All tensors in file order, with their offsets. */
  public List<TensorInfo> tensors() {
    return tensors;
  }

  /** Length and header, padding included: everything before the tensor data. A copy. */
  public byte[] header() {
    return header.clone();
  }

  /** Bytes before the tensor data. */
  public long headerBytes() {
    return header.length;
  }

  /** Bytes of the whole file. */
  public long fileBytes() {
    return header.length + dataBytes;
  }
}
