package dev.quern.formats.target.selection;

import java.util.List;
import java.util.Optional;

/**
 * What an engine does with a layer on a target: exactly one kernel, or a refusal.
 *
 * @param scheme the engine's scheme; empty when it has none
 * @param kernel what runs, by the table's name for it; empty when nothing does
 * @param kernelName the same for people: without the prefix of experts, with the engine's class
 * @param mode how the scheme is honoured
 * @param reasons why this kernel: {@code FIRST_IN_ORDER}, or codes of what ruled the others out
 * @param refusal why nothing runs; empty when something does
 * @param rejected kernels before it in the engine's order, with what ruled each out
 * @param fallbacks kernels after it that would run, too
 * @param layout the byte order that it reads, as quern names it; empty when not known
 * @param rows rows that one rank has
 * @param columns columns that one rank has
 * @param paddedRows rows that the kernel's copy has
 * @param paddedColumns columns that the kernel's copy has
 * @param residentBytes expected bytes of one rank's copy in memory
 * @param transforms what is done to the weights at load that changes numbers
 * @param switches kernels that it hands over to by the number of tokens
 * @param hazards what else to know
 */
public record KernelDecision(
    Optional<String> scheme,
    Optional<String> kernel,
    Optional<String> kernelName,
    Mode mode,
    List<String> reasons,
    Optional<String> refusal,
    List<Rejection> rejected,
    List<String> fallbacks,
    Optional<String> layout,
    long rows,
    long columns,
    long paddedRows,
    long paddedColumns,
    long residentBytes,
    List<Transform> transforms,
    List<Switch> switches,
    List<Hazard> hazards) {
  /** How a scheme is honoured. */
  public enum Mode {
    /** As it says: activations are quantized when it quantizes them. */
    NATIVE,
    /** Activations stay as they are though it quantizes them. */
    WEIGHT_ONLY,
    /** Weights are decoded and multiplied in 16 bits. */
    EMULATED,
    /** It does not run. */
    NONE
  }

  /**
   * A kernel that was asked and cannot.
   *
   * @param kernel its name
   * @param code a word for the reason
   * @param detail the gate that did not hold, and what it found
   */
  public record Rejection(String kernel, String code, String detail) {}

  /**
   * What is done to weights at load.
   *
   * @param id its name
   * @param lossless whether every weight keeps its value
   */
  public record Transform(String id, boolean lossless) {}

  /**
   * A kernel that takes over.
   *
   * @param when for which numbers of tokens
   * @param kernel its name
   */
  public record Switch(String when, String kernel) {}

  /** Copies the lists. */
  public KernelDecision {
    reasons = List.copyOf(reasons);
    rejected = List.copyOf(rejected);
    fallbacks = List.copyOf(fallbacks);
    transforms = List.copyOf(transforms);
    switches = List.copyOf(switches);
    hazards = List.copyOf(hazards);
    if (kernel.isPresent() == refusal.isPresent()) {
      throw new IllegalArgumentException("a kernel or a refusal: " + kernel + ", " + refusal);
    }
  }

  /** Whether it runs and gives what it should. */
  public boolean works() {
    return kernel.isPresent()
        && hazards.stream().noneMatch(h -> h.severity() == Hazard.Severity.FATAL);
  }

  /** Share of the padded copy that is padding, 0 to 1. */
  public double waste() {
    double whole = (double) paddedRows * paddedColumns;
    return whole == 0 ? 0 : 1 - (double) rows * columns / whole;
  }
}
