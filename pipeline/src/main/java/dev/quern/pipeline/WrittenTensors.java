package dev.quern.pipeline;

import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Checksums of tensors as they were found. What was solved cannot be found again when files are
 * checked, and no bound holds for it; so the files are held to the bytes that were handed out.
 */
final class WrittenTensors {
  private static final long PIECE = 64 << 20;

  private final Map<String, Long> sums = new LinkedHashMap<>();

  /** Notes a tensor. */
  void add(TensorSpec tensor, MemorySegment bytes) {
    sums.put(tensor.name(), sum(bytes));
  }

  /**
   * @param files the file of each tensor
   * @throws QuernException when a tensor in them is another one than was noted
   */
  void verify(Map<String, SafetensorsFile> files) {
    for (Map.Entry<String, Long> entry : sums.entrySet()) {
      SafetensorsFile file = files.get(entry.getKey());
      TensorInfo tensor = file.find(entry.getKey()).orElseThrow();
      try (Arena arena = Arena.ofConfined()) {
        long found = sum(file.map(tensor, 0, tensor.spec().bytes(), arena));
        if (found != entry.getValue()) {
          throw new QuernException(
              QuernException.Kind.VERIFICATION,
              file.path() + ", tensor " + entry.getKey(),
              "expected the checksum "
                  + hex(entry.getValue())
                  + " of what was solved, found "
                  + hex(found),
              "The disk or the memory is faulty; compress again, elsewhere if it happens twice.");
        }
      }
    }
  }

  private static String hex(long sum) {
    return Long.toHexString(sum);
  }

  private static long sum(MemorySegment bytes) {
    CRC32C crc = new CRC32C();
    for (long at = 0; at < bytes.byteSize(); at += PIECE) {
      crc.update(bytes.asSlice(at, Math.min(PIECE, bytes.byteSize() - at)).asByteBuffer());
    }
    return crc.getValue();
  }
}
