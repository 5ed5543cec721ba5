package dev.quern.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * One column of the table: an instruction set and a number of threads.
 *
 * @param set name of the instruction set
 * @param vectorBits width that the kernels must have there
 * @param threads how many work at once, each on a matrix of its own
 * @param jvmArgs what makes a JVM of this machine such a leg
 */
record Leg(String set, int vectorBits, int threads, List<String> jvmArgs) {
  Leg {
    jvmArgs = List.copyOf(jvmArgs);
  }

  /**
   * The machine's own vectors first; beside AVX-512 also AVX2, which the same JVM can be held to.
   */
  static List<Leg> of(int machineBits, boolean x86, List<Integer> threadCounts) {
    List<Leg> legs = new ArrayList<>();
    for (int threads : threadCounts) {
      legs.add(new Leg(set(machineBits, x86), machineBits, threads, List.of()));
    }
    if (x86 && machineBits == 512) {
      for (int threads : threadCounts) {
        legs.add(new Leg("AVX2", 256, threads, List.of("-XX:UseAVX=2")));
      }
    }
    return legs;
  }

  private static String set(int bits, boolean x86) {
    if (bits == 0) {
      return "scalar";
    }
    if (x86 && bits >= 256) {
      return bits == 512 ? "AVX-512" : "AVX2";
    }
    return bits + "-bit vectors";
  }

  String title() {
    return set + ", " + threads + (threads == 1 ? " thread" : " threads");
  }
}
