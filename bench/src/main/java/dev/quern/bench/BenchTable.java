package dev.quern.bench;

public final class BenchTable {
  public static void main(String[] a) throws Exception {
    org.openjdk.jmh.Main.main(a);
  }
}
