package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.Patience;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.quantization.observer.MseObserver;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.function.Function;

/**
 * Which steps of a search improve any block of a matrix, one bit a step: that decides how many
 * steps are taken for all of them.
 *
 * <p>A strip is not looked at further when it alone shows that no patience will run out. So what is
 * learnt may depend on how the matrix is cut, but never what follows from it.
 *
 * @param codec makes the codec from the observer
 */
record ObserverMeasurement(
    RangeSearch search, int patience, ScaleGrid grid, Function<RangeObserver, WeightCodec> codec)
    implements Measurement {
  @Override
  public long[] measure(Kernels kernels, MemorySegment source, int rows) {
    boolean[] improved = new boolean[search.steps()];
    MseObserver.markImprovements(kernels, search, source, grid.strip(rows), patience, improved);
    BitSet bits = new BitSet(improved.length);
    for (int step = 0; step < improved.length; step++) {
      bits.set(step, improved[step]);
    }
    long[] words = new long[Math.ceilDiv(improved.length, Long.SIZE)];
    long[] used = bits.toLongArray();
    System.arraycopy(used, 0, words, 0, used.length);
    return words;
  }

  @Override
  public void merge(long[] into, long[] other) {
    for (int i = 0; i < into.length; i++) {
      into[i] |= other[i];
    }
  }

  @Override
  public boolean concernsFusedSet() {
    return false;
  }

  @Override
  public WeightCodec bind(long[] own, long[] fusedSet) {
    BitSet bits = BitSet.valueOf(own);
    boolean[] improved = new boolean[search.steps()];
    for (int step = 0; step < improved.length; step++) {
      improved[step] = bits.get(step);
    }
    return codec.apply(new MseObserver(search, Patience.steps(improved, patience)));
  }
}
