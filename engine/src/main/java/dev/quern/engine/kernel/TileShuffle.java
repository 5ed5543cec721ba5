package dev.quern.engine.kernel;

import java.util.ArrayList;
import java.util.List;

/**
 * How eight vectors of eight rows become eight vectors of a tile: the plan of the SIMD moves.
 *
 * <p>A byte's place in the eight vectors has binary digits: three for the vector, the others for
 * the byte in it. Each step exchanges one digit of the vector with one of the byte, for which two
 * bytes tables say what every pair of vectors gives to each of its two results. After three steps
 * each vector holds a run of the tensor; the last step puts its bytes in order as well. For 4-bit
 * elements, two nibbles of each 64 bits change places before, so that those that share a byte of
 * the tensor share one already.
 *
 * @param rowDigits the three digits of the row that number the vectors
 * @param nibbleShift bits between nibbles that change places, or 0
 * @param nibbleMask the lower nibble of each such pair, in 64 bits
 * @param steps tables for rows to tensor
 * @param back tables for tensor to rows, the last step's first
 * @param strides what each of the vector's three digits adds to the place in the tensor, in bytes
 * @param columns elements of a vector
 * @param columnStep bytes in the tensor from a vector's columns to the next vector's
 */
public record TileShuffle(
    int[] rowDigits,
    int nibbleShift,
    long nibbleMask,
    byte[][] steps,
    byte[][] back,
    long[] strides,
    int columns,
    long columnStep) {
  private static final int STEPS = 3;
  private static final int LONG_NIBBLE_DIGITS = 4;

  /** A digit of the row, of the column, or of the byte inside an element. */
  private record Digit(char kind, int number, long stride) {}

  /**
   * The plan for vectors of {@code vectorBytes} bytes, or null when this map is not of the kind: a
   * vector of the tensor must hold whole runs of a vector of each of at most eight rows.
   */
  public static TileShuffle of(int bits, IndexStrides strides, int vectorBytes) {
    int columns = vectorBytes * 8 / bits;
    boolean fits =
        (bits == 4 || bits == 8 || bits == 16)
            && strides.tileColumns() <= columns
            && strides.rows().length >= STEPS;
    return fits ? new Planner(bits, strides, vectorBytes, columns).plan() : null;
  }

  private static final class Planner {
    private final int bits;
    private final IndexStrides strides;
    private final int vectorBytes;
    private final int columns;
    private final List<Digit> all = new ArrayList<>();
    private final List<Digit> bytes = new ArrayList<>();
    private final List<Digit> wanted = new ArrayList<>();

    Planner(int bits, IndexStrides strides, int vectorBytes, int columns) {
      this.bits = bits;
      this.strides = strides;
      this.vectorBytes = vectorBytes;
      this.columns = columns;
    }

    TileShuffle plan() {
      for (int i = 0; i < strides.rows().length; i++) {
        all.add(new Digit('r', i, strides.rows()[i]));
      }
      int inside = strides.columns().length;
      for (int i = 0; 1 << i < columns; i++) {
        long stride = i < inside ? strides.columns()[i] : strides.columnTile() << (i - inside);
        Digit digit = new Digit('c', i, stride);
        all.add(digit);
        bytes.add(digit);
      }
      if (bits == 16) {
        Digit half = new Digit('b', 0, 0);
        bytes.addFirst(half);
        wanted.add(half);
      }
      int shift = 0;
      long mask = 0;
      if (bits == 4) {
        Digit nibble = ofStride(1);
        if (nibble == null || nibble.kind != 'c' || nibble.number >= LONG_NIBBLE_DIGITS) {
          return null;
        }
        Digit first = bytes.removeFirst();
        if (nibble.number > 0) {
          bytes.set(nibble.number - 1, first);
          shift = ((1 << nibble.number) - 1) * 4;
          for (int i = 0; i < 16; i++) {
            if ((i & 1) == 1 && (i >> nibble.number & 1) == 0) {
              mask |= 0xFL << 4 * i;
            }
          }
        }
      }
      long runElements = (long) vectorBytes * 8 / bits;
      for (long stride = bits == 4 ? 2 : 1; stride < runElements; stride *= 2) {
        wanted.add(ofStride(stride));
      }
      return wanted.contains(null) || !columnsAreThere() ? null : steps(shift, mask);
    }

    private Digit ofStride(long stride) {
      return all.stream().filter(digit -> digit.stride == stride).findFirst().orElse(null);
    }

    private boolean columnsAreThere() {
      return wanted.stream().allMatch(digit -> digit.kind == 'r' || bytes.contains(digit));
    }

    private TileShuffle steps(int shift, long mask) {
      List<Digit> vectors = new ArrayList<>();
      wanted.stream().filter(digit -> digit.kind == 'r').forEach(vectors::add);
      if (vectors.size() > STEPS) {
        return null;
      }
      for (int i = 0; vectors.size() < STEPS; i++) {
        Digit digit = all.get(i); // rows come first, and there are three or more
        if (!vectors.contains(digit)) {
          vectors.add(digit);
        }
      }
      int[] rowDigits = vectors.stream().mapToInt(Digit::number).toArray();
      byte[][] steps = new byte[2 * STEPS][];
      for (int s = 0; s < STEPS; s++) {
        int at = wanted.contains(vectors.get(s)) ? firstUnwanted() : -1;
        if (at >= 0) {
          Digit out = bytes.set(at, vectors.get(s));
          vectors.set(s, out);
        }
        int[] order = s == STEPS - 1 ? inOrder() : identity();
        steps[2 * s] = table(order, at, 0);
        steps[2 * s + 1] = table(order, at, 1);
      }
      long[] out = new long[STEPS];
      for (int s = 0; s < STEPS; s++) {
        long targetBits = vectors.get(s).stride * bits;
        if (targetBits % 8 != 0) {
          return null;
        }
        out[s] = targetBits / 8;
      }
      long tiles = columns / strides.tileColumns();
      long columnStep = strides.columnTile() * tiles * bits / 8;
      return new TileShuffle(rowDigits, shift, mask, steps, back(steps), out, columns, columnStep);
    }

    private int firstUnwanted() {
      for (int i = 0; i < bytes.size(); i++) {
        if (!wanted.contains(bytes.get(i))) {
          return i;
        }
      }
      throw new IllegalStateException("as many digits leave as come");
    }

    private int[] identity() {
      int[] order = new int[vectorBytes];
      for (int j = 0; j < order.length; j++) {
        order[j] = j;
      }
      return order;
    }

    /** Where the byte is that the tensor has at each place of a vector. */
    private int[] inOrder() {
      int[] order = new int[vectorBytes];
      for (int j = 0; j < order.length; j++) {
        for (int t = 0; t < wanted.size(); t++) {
          order[j] |= (j >> t & 1) << bytes.indexOf(wanted.get(t));
        }
      }
      return order;
    }

    /** From where one result of a pair gets its bytes; the second vector's follow the first's. */
    private byte[] table(int[] order, int exchanged, int result) {
      byte[] table = new byte[vectorBytes];
      for (int j = 0; j < table.length; j++) {
        int from = order[j];
        if (exchanged < 0) {
          table[j] = (byte) (from + result * vectorBytes);
        } else {
          int second = from >> exchanged & 1;
          from = from & ~(1 << exchanged) | result << exchanged;
          table[j] = (byte) (from + second * vectorBytes);
        }
      }
      return table;
    }

    private byte[][] back(byte[][] steps) {
      byte[][] back = new byte[steps.length][vectorBytes];
      for (int s = 0; s < STEPS; s++) {
        int to = 2 * (STEPS - 1 - s);
        for (int result = 0; result < 2; result++) {
          for (int j = 0; j < vectorBytes; j++) {
            int from = steps[2 * s + result][j] & 0xFF;
            back[to + from / vectorBytes][from % vectorBytes] = (byte) (j + result * vectorBytes);
          }
        }
      }
      return back;
    }
  }
}
