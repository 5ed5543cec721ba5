package dev.quern.pipeline.calibration;

import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.memory.NativeMemory;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * The hidden states of all samples between two layers: [tokens, hidden] of f32 for each sample, as
 * many tokens as the sample has.
 *
 * <p>Samples lie in native memory as long as the budget allows, the others in one file. Which lies
 * where depends on sizes alone, and values come back as they were written, so nothing that is
 * computed from them depends on it. The file has no name while it is in use (on systems that allow
 * that): it takes space on the disk and is gone with the process, however that ends.
 *
 * <p>The store holds its share of the budget until it is closed. Different samples may be read and
 * written at the same time; one sample by one thread at a time.
 */
public final class ActivationStore implements AutoCloseable {
  private static final int MAX_TRANSFER = 1 << 30;
  private static final long PIECE = 4 << 20;

  private final Path file;
  private final int hidden;
  private final int[] tokens;
  private final long[] offset;
  private final boolean[] inMemory;
  private final long memoryBytes;
  private final long spilledBytes;
  private final Arena arena = Arena.ofShared();
  private MemoryBudget.Lease lease;
  private MemorySegment memory = MemorySegment.NULL;
  private FileChannel channel;

  private ActivationStore(long mostMemory, Path file, int hidden, int[] tokens) {
    this.file = file;
    this.hidden = hidden;
    this.tokens = tokens.clone();
    offset = new long[tokens.length];
    inMemory = new boolean[tokens.length];
    long inside = 0;
    long outside = 0;
    for (int i = 0; i < tokens.length; i++) {
      long bytes = bytes(hidden, tokens[i]);
      inMemory[i] = inside + bytes <= mostMemory;
      if (inMemory[i]) {
        offset[i] = inside;
        inside += bytes;
      } else {
        offset[i] = outside;
        outside += bytes;
      }
    }
    memoryBytes = inside;
    spilledBytes = outside;
  }

  /**
   * Room for samples of these lengths; all values are zero.
   *
   * @param budget what the memory is taken from; waits until it is free
   * @param mostMemory bytes of the budget that this store may hold; 0 for a file alone
   * @param file where samples go that find no memory, best beside the output; must not exist
   * @param hidden values of a token
   * @param tokens tokens of each sample, at least 0
   * @throws IOException when the file is needed and cannot be made, or its disk has no room for it
   */
  public static ActivationStore create(
      MemoryBudget budget, long mostMemory, Path file, int hidden, int[] tokens)
      throws IOException {
    if (hidden < 1) {
      throw new IllegalArgumentException("hidden states of " + hidden + " values; at least 1");
    }
    ActivationStore store =
        new ActivationStore(Math.min(mostMemory, budget.limit()), file, hidden, tokens);
    try {
      store.open(budget);
      return store;
    } catch (IOException | RuntimeException | Error e) {
      try {
        store.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  /** What a sample takes, in memory or on the disk. */
  public static long bytes(int hidden, int tokens) {
    return (long) Float.BYTES * hidden * tokens;
  }

  private void open(MemoryBudget budget) throws IOException {
    if (spilledBytes > 0) {
      requireSpace();
      channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
      // The last byte: all before it read as zeros without taking space yet.
      transfer(true, channel, spilledBytes - 1, MemorySegment.ofArray(new byte[1]));
    }
    lease = budget.acquire(memoryBytes);
    memory = NativeMemory.allocate(arena, memoryBytes);
  }

  private void requireSpace() throws IOException {
    long free = Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace();
    if (free < spilledBytes) {
      throw full(spilledBytes + " bytes are needed, and the disk has " + free + " free", null);
    }
  }

  private IOException full(String problem, IOException cause) {
    return new IOException(
        file
            + ": cannot hold the activations of the calibration samples that do not fit into memory"
            + " ("
            + problem
            + "); make room, give more memory, or use fewer or shorter samples",
        cause);
  }

  /** How many samples there are. */
  public int samples() {
    return tokens.length;
  }

  /** How many tokens a sample has. */
  public int tokens(int sample) {
    return tokens[sample];
  }

  /** Values of a token. */
  public int hidden() {
    return hidden;
  }

  /** Bytes of samples in memory. */
  public long memoryBytes() {
    return memoryBytes;
  }

  /** Bytes of samples in the file. */
  public long spilledBytes() {
    return spilledBytes;
  }

  /**
   * Copies a sample out.
   *
   * @param target receives it, [tokens, hidden]
   * @throws IOException when the file cannot be read
   */
  public void read(int sample, FloatMatrix target) throws IOException {
    requireShape(sample, target);
    copy(false, sample, target);
  }

  /**
   * Replaces a sample, by the output of a layer as a rule.
   *
   * @param source its new values, [tokens, hidden]
   * @throws IOException when the file cannot be written
   */
  public void write(int sample, FloatMatrix source) throws IOException {
    requireShape(sample, source);
    copy(true, sample, source);
  }

  private void requireShape(int sample, FloatMatrix matrix) {
    if (matrix.rows() != tokens[sample] || matrix.columns() != hidden) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "sample %d is [%d, %d], and the matrix [%d, %d]",
              sample,
              tokens[sample],
              hidden,
              matrix.rows(),
              matrix.columns()));
    }
  }

  /** Between the store and a matrix whose rows may lie apart. */
  private void copy(boolean writes, int sample, FloatMatrix matrix) throws IOException {
    long row = bytes(hidden, 1);
    boolean dense = matrix.stride() == hidden || matrix.rows() == 1;
    int pieces = dense ? Math.min(1, matrix.rows()) : matrix.rows();
    long size = dense ? row * matrix.rows() : row;
    for (int i = 0; i < pieces; i++) {
      MemorySegment piece = matrix.data().asSlice(matrix.offset(i, 0), size);
      long at = offset[sample] + i * row;
      if (!inMemory[sample]) {
        transfer(writes, channel, at, piece);
      } else if (writes) {
        memory.asSlice(at, size).copyFrom(piece);
      } else {
        piece.copyFrom(memory.asSlice(at, size));
      }
    }
  }

  /** Writes or reads all of the bytes at a place of a file. */
  private void transfer(boolean writes, FileChannel target, long position, MemorySegment bytes)
      throws IOException {
    long done = 0;
    while (done < bytes.byteSize()) {
      long size = Math.min(MAX_TRANSFER, bytes.byteSize() - done);
      ByteBuffer buffer = bytes.asSlice(done, size).asByteBuffer();
      int moved;
      try {
        moved =
            writes ? target.write(buffer, position + done) : target.read(buffer, position + done);
      } catch (IOException e) {
        throw writes ? full(String.valueOf(e.getMessage()), e) : e;
      }
      if (moved < 0) {
        throw new EOFException("a file of activations ends after " + (position + done) + " bytes");
      }
      done += moved;
    }
  }

  /**
   * Writes all samples to a file of its own, checksum included, and waits until it is on the disk.
   *
   * @param target replaced when it exists
   * @throws IOException when it cannot be written
   */
  public void save(Path target) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            target,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      CRC32C sum = new CRC32C();
      long position = 0;
      try (Arena scratch = Arena.ofConfined()) {
        MemorySegment buffer = scratch.allocate(PIECE);
        for (int i = 0; i < tokens.length; i++) {
          long bytes = bytes(hidden, tokens[i]);
          for (long done = 0; done < bytes; done += PIECE) {
            MemorySegment piece = piece(i, done, Math.min(PIECE, bytes - done), buffer);
            sum.update(piece.asByteBuffer());
            transfer(true, out, position, piece);
            position += piece.byteSize();
          }
        }
      }
      transfer(true, out, position, MemorySegment.ofArray(trailer(sum)));
      out.force(true);
    }
  }

  /** Bytes of a sample: where they lie, or read into the buffer. */
  private MemorySegment piece(int sample, long from, long size, MemorySegment buffer)
      throws IOException {
    if (inMemory[sample]) {
      return memory.asSlice(offset[sample] + from, size);
    }
    MemorySegment piece = buffer.asSlice(0, size);
    transfer(false, channel, offset[sample] + from, piece);
    return piece;
  }

  /**
   * Takes all samples from a file that {@link #save} wrote.
   *
   * @throws IOException when it cannot be read, or is not what was written for samples of these
   *     lengths; the samples are void then
   */
  public void load(Path source) throws IOException {
    try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ);
        Arena scratch = Arena.ofConfined()) {
      CRC32C sum = new CRC32C();
      long position = 0;
      MemorySegment buffer = scratch.allocate(PIECE);
      for (int i = 0; i < tokens.length; i++) {
        long bytes = bytes(hidden, tokens[i]);
        for (long done = 0; done < bytes; done += PIECE) {
          long size = Math.min(PIECE, bytes - done);
          MemorySegment piece =
              inMemory[i] ? memory.asSlice(offset[i] + done, size) : buffer.asSlice(0, size);
          transfer(false, in, position, piece);
          sum.update(piece.asByteBuffer());
          if (!inMemory[i]) {
            transfer(true, channel, offset[i] + done, piece);
          }
          position += size;
        }
      }
      byte[] trailer = new byte[Long.BYTES];
      transfer(false, in, position, MemorySegment.ofArray(trailer));
      if (in.size() != position + Long.BYTES || !Arrays.equals(trailer, trailer(sum))) {
        throw new IOException(source + ": is damaged, its checksum is another one");
      }
    }
  }

  private static byte[] trailer(CRC32C sum) {
    return ByteBuffer.allocate(Long.BYTES).putLong(sum.getValue()).array();
  }

  /** Frees memory and file. */
  @Override
  public void close() throws IOException {
    try {
      if (channel != null) {
        channel.close();
      }
    } finally {
      if (arena.scope().isAlive()) {
        arena.close();
      }
      if (lease != null) {
        lease.close();
      }
    }
  }
}
