package dev.quern.formats.calibration;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * Chooses records while they stream by, holding only those that are chosen so far.
 *
 * <p>With a seed, the n-th record of the file draws the n-th number of {@code new
 * SplittableRandom(seed)}, and records are taken by ascending number: a shuffle of all of them, of
 * which the beginning is kept. Without a seed the number is the record's place. Records without a
 * token draw a number too, but are not taken.
 *
 * <p>Without packing the first {@code samples} records are kept. With packing, as many as are
 * needed for {@code samples * length} tokens.
 */
final class Selection {
  private record Chosen(long key, long place, int[] ids) {}

  private static final Comparator<Chosen> ORDER =
      Comparator.comparingLong(Chosen::key).thenComparingLong(Chosen::place);

  private final int samples;
  private final int length;
  private final boolean packing;
  private final SplittableRandom random;
  private final PriorityQueue<Chosen> chosen = new PriorityQueue<>(ORDER.reversed());
  private long places;
  private long tokens;
  private long key;
  private long empty;
  private boolean cut;

  Selection(int samples, int length, boolean packing, OptionalLong seed) {
    this.samples = samples;
    this.length = length;
    this.packing = packing;
    this.random = seed.isPresent() ? new SplittableRandom(seed.getAsLong()) : null;
  }

  /** Goes to the next record; true when it is to be encoded and given to {@link #add}. */
  boolean wantsNext() {
    key = random == null ? places : random.nextLong();
    places++;
    return !isFull() || key < chosen.element().key();
  }

  /** True when no later record can be chosen. */
  boolean isComplete() {
    return random == null && isFull();
  }

  private long budget() {
    return (long) samples * length;
  }

  private boolean isFull() {
    return packing ? tokens >= budget() : chosen.size() >= samples;
  }

  void add(int[] ids) {
    if (ids.length == 0) {
      empty++;
      return;
    }
    int most = (int) Math.min(packing ? budget() : length, Integer.MAX_VALUE);
    cut |= ids.length > most;
    chosen.add(new Chosen(key, places, ids.length > most ? Arrays.copyOf(ids, most) : ids));
    tokens += Math.min(ids.length, most);
    while (packing ? tokens - chosen.element().ids().length >= budget() : chosen.size() > samples) {
      tokens -= chosen.remove().ids().length;
    }
  }

  /** How many records were seen. */
  long seen() {
    return places;
  }

  /** How many of those that were looked at had no token. */
  long empty() {
    return empty;
  }

  /** Whether a record was longer than a sample may be. */
  boolean cut() {
    return cut;
  }

  /** The samples, in the order in which they are to be used. */
  List<int[]> samples() {
    List<int[]> records = chosen.stream().sorted(ORDER).map(Chosen::ids).toList();
    if (!packing) {
      return records;
    }
    List<int[]> packed = new ArrayList<>();
    int[] sample = new int[length];
    int filled = 0;
    for (int[] ids : records) {
      for (int from = 0; from < ids.length && packed.size() < samples; ) {
        int part = Math.min(ids.length - from, length - filled);
        System.arraycopy(ids, from, sample, filled, part);
        from += part;
        filled += part;
        if (filled == length) {
          packed.add(sample);
          sample = new int[length];
          filled = 0;
        }
      }
    }
    if (filled > 0 && packed.size() < samples) {
      packed.add(Arrays.copyOf(sample, filled));
    }
    return packed;
  }
}
