package dev.quern.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts what operations read, so that JMH reports GB/s of source beside operations a second. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class SourceBytes {
  /** Source bytes read, in units of 10^9; JMH divides by the time and adds up the threads. */
  public double gigabytes;

  void add(long bytes) {
    gigabytes += bytes * 1e-9;
  }
}
