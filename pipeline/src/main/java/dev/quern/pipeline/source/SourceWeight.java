package dev.quern.pipeline.source;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * One tensor of a model as a plain checkpoint would hold it: name, type, shape, and its bytes on
 * demand. What the files hold may be the same bytes, or codes and scales that are decoded when they
 * are asked for.
 *
 * <p>Safe for use by several threads.
 */
public interface SourceWeight {
  /** Name, element type and shape of the plain tensor. */
  TensorSpec spec();

  /** The tensors in files that it is made of, the one with its values first; never empty. */
  List<Part> parts();

  /** What the files hold in its place, a few words; empty when they hold the tensor itself. */
  Optional<String> encoding();

  /** The least number of bytes that can be read alone; reads begin and end at its multiples. */
  long grain();

  /** The most memory that a read of {@code length} bytes occupies, mapped files included. */
  long memoryBytes(long length);

  /**
   * Reads a part of the plain tensor.
   *
   * @param offset first byte, a multiple of {@link #grain}
   * @param length number of bytes, a multiple of {@link #grain}
   * @param arena how long a mapped result lives
   * @param scratch where a decoded result lives, until its next use
   * @throws dev.quern.formats.CheckpointException when the file changed, or what is in it cannot be
   *     decoded
   */
  MemorySegment read(Kernels kernels, long offset, long length, Arena arena, Scratch scratch);

  /** Its full name. */
  default String name() {
    return spec().name();
  }

  /** The type of its elements, which are floats. */
  default FloatType type() {
    return FloatType.of(spec().dtype()).orElseThrow();
  }

  /** Rows of a matrix. */
  default int rows() {
    return Math.toIntExact(spec().shape().get(0));
  }

  /** Columns of a matrix. */
  default int cols() {
    return Math.toIntExact(spec().shape().get(1));
  }

  /** Bytes of a matrix's row. */
  default long rowBytes() {
    return (long) cols() * type().bytes();
  }

  /** Bytes that it takes in the source's files. */
  default long storedBytes() {
    return parts().stream().mapToLong(Part::bytes).sum();
  }

  /** Where it is, for messages: file and tensor. */
  default String place() {
    Part first = parts().getFirst();
    return first.tensor().file().path() + ", tensor " + first.tensor().name();
  }
}
