package dev.quern.engine.kernel;

/**
 * How one row of weights is scaled to integers: groups of consecutive columns, each with a scale
 * and, unless the integers are symmetric, a zero point. One object serves row after row; the arrays
 * are the caller's to fill.
 *
 * <p>Group {@code g} holds the elements from {@code g * groupSize} on; the last group of a row may
 * be shorter. A group as long as the row is a channel.
 */
public final class IntGroups {
  private final int bits;
  private final int groupSize;
  private final float[] scales;
  private final float[] zeroPoints;

  private IntGroups(int bits, int groupSize, float[] scales, float[] zeroPoints) {
    if (bits < 2 || bits > 8 || groupSize < 1) {
      throw new IllegalArgumentException(bits + " bits in groups of " + groupSize);
    }
    this.bits = bits;
    this.groupSize = groupSize;
    this.scales = scales;
    this.zeroPoints = zeroPoints;
  }

  /**
   * Groups without zero points.
   *
   * @param bits width of an integer, 2 to 8
   * @param groupSize elements of a group, at least 1
   * @param groups number of groups
   */
  public static IntGroups symmetric(int bits, int groupSize, int groups) {
    return new IntGroups(bits, groupSize, new float[groups], new float[0]);
  }

  /** Groups with zero points; as {@link #symmetric} otherwise. */
  public static IntGroups asymmetric(int bits, int groupSize, int groups) {
    return new IntGroups(bits, groupSize, new float[groups], new float[groups]);
  }

  /** Width of an integer, 2 to 8. */
  public int bits() {
    return bits;
  }

  /** Elements of a group. */
  public int groupSize() {
    return groupSize;
  }

  /** Whether there are no zero points. */
  public boolean isSymmetric() {
    return zeroPoints.length == 0;
  }

  /** The scale of each group, a value of the weights' type. */
  public float[] scales() {
    return scales;
  }

  /** The zero point of each group, an integer from {@link #lowest} to {@link #highest}. */
  public float[] zeroPoints() {
    return zeroPoints;
  }

  /** The zero point of a group; 0 without zero points. */
  public float zeroPoint(int group) {
    return zeroPoints.length == 0 ? 0 : zeroPoints[group];
  }

  /** The smallest integer of a width: {@code -2^(bits-1)}. */
  public static int lowest(int bits) {
    return -1 << (bits - 1);
  }

  /** The largest integer of a width: {@code 2^(bits-1) - 1}. */
  public static int highest(int bits) {
    return (1 << (bits - 1)) - 1;
  }
}
