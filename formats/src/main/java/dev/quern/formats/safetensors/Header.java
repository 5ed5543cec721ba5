package dev.quern.formats.safetensors;

/** What reader and writer must agree on. */
final class Header {
  /** Bytes before the JSON text: its length, little endian. */
  static final int PREFIX_BYTES = 8;

  /** The longest JSON text, the limit of the reference implementation. */
  static final long MAX_BYTES = 100_000_000;

  /** The one name that is no tensor: free texts about the file. */
  static final String METADATA = "__metadata__";

  static final String DTYPE = "dtype";
  static final String SHAPE = "shape";
  static final String OFFSETS = "data_offsets";

  private Header() {}
}
