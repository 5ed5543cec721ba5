package dev.quern.pipeline.evaluation;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.model.DecoderLayer;
import dev.quern.engine.model.DecoderSpec;
import dev.quern.engine.model.DecoderWorkspace;
import dev.quern.engine.model.Embedding;
import dev.quern.engine.model.Head;
import dev.quern.engine.model.KeyValueCache;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.CheckpointException;
import dev.quern.pipeline.model.MappedWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model that goes on with a text, each time with the most likely token, the first of equal ones.
 *
 * <p>Plain weights are mapped. Decoded ones are kept from one token to the next as far as the
 * budget goes; layers beyond it are decoded for each token anew.
 */
public final class Generation implements AutoCloseable {
  /** Tokens of a prompt that go through a layer together. */
  private static final int CHUNK = 512;

  /** A layer whose weights are held. */
  private record Held(MappedWeights weights, DecoderLayer layer) {}

  private final Evaluation.Subject subject;
  private final DecoderSpec spec;
  private final Kernels kernels;
  private final Workers workers;
  private final DecoderWorkspace workspace;
  private final RoundedActivations observer;
  private final KeyValueCache cache;
  private final List<Held> held = new ArrayList<>();
  private final MappedWeights ends;
  private final Embedding embedding;
  private final Head head;
  private final Scratch stream = new Scratch();
  private int[] ids = new int[0];

  /**
   * Maps the weights, and decodes those that are to be kept.
   *
   * @param capacity the most tokens, prompt included
   * @param memoryBytes what the cache and decoded weights may occupy
   * @throws CheckpointException when the cache alone needs more
   */
  public Generation(Evaluation.Subject subject, int capacity, int threads, long memoryBytes) {
    this.subject = subject;
    this.spec = subject.model().spec();
    long cacheBytes = KeyValueCache.bytes(spec, capacity);
    if (cacheBytes > memoryBytes) {
      throw new CheckpointException(
          subject.model().folder().toString(),
          "keys and values of "
              + capacity
              + " tokens need "
              + cacheBytes
              + " bytes, and the memory budget is "
              + memoryBytes,
          "Ask for fewer tokens, or give more --memory.");
    }
    kernels = Evaluation.kernels((double) subject.model().weights().bytes() * capacity / threads);
    workers = new Workers(threads);
    workspace = new DecoderWorkspace(kernels, workers);
    observer = new RoundedActivations(subject.rules(), kernels, workers);
    cache = new KeyValueCache(spec, capacity);
    ends = subject.model().map(kernels);
    try {
      embedding = new Embedding(spec, ends);
      head = new Head(spec, ends);
      hold(memoryBytes - cacheBytes - ends.decodedBytes());
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private void hold(long budget) {
    long left = budget;
    for (int i = 0; i < spec.layers().size(); i++) {
      MappedWeights weights = subject.model().map(kernels);
      DecoderLayer layer;
      try {
        layer = new DecoderLayer(spec.layers().get(i), weights);
      } catch (Throwable e) {
        weights.close();
        throw e;
      }
      left -= weights.decodedBytes();
      if (left < 0) {
        weights.close();
        return;
      }
      held.add(new Held(weights, layer));
    }
  }

  /** Layers whose weights are decoded again for each token, for want of memory. */
  public int layersDecodedAgain() {
    return spec.layers().size() - held.size();
  }

  /** Whether no further token can be run. */
  public boolean isFull() {
    return ids.length >= cache.capacity();
  }

  /**
   * Takes further tokens and gives the most likely next one.
   *
   * @param more at least one
   * @throws CheckpointException when the logits are not finite
   */
  public int next(int... more) {
    int[] all = Arrays.copyOf(ids, ids.length + more.length);
    System.arraycopy(more, 0, all, ids.length, more.length);
    ids = all;
    if (!cache.continuesTo(ids.length)) {
      cache.clear(); // the rotation of cached keys depends on the length: all begin again
    }
    // Not in pieces where the rotation would change between them.
    int first = Math.min(ids.length, cache.tokens() + CHUNK);
    int step = cache.sameRotation(first, ids.length) ? CHUNK : ids.length;
    int next = -1;
    while (cache.tokens() < ids.length) {
      int from = cache.tokens();
      next = run(Arrays.copyOfRange(ids, from, Math.min(ids.length, from + step)));
    }
    return next;
  }

  /** Runs tokens behind those that are cached; what the last of them predicts. */
  private int run(int[] tokens) {
    FloatMatrix x =
        new FloatMatrix(
            stream.atLeast(FloatMatrix.bytes(tokens.length, spec.hidden())),
            tokens.length,
            spec.hidden(),
            Math.toIntExact(FloatMatrix.bytes(1, spec.hidden()) / Float.BYTES));
    embedding.lookUp(workspace, tokens, x);
    for (int i = 0; i < spec.layers().size(); i++) {
      if (i < held.size()) {
        held.get(i).layer().forward(workspace, x, observer, cache, i);
        continue;
      }
      try (MappedWeights weights = subject.model().map(kernels)) {
        new DecoderLayer(spec.layers().get(i), weights).forward(workspace, x, observer, cache, i);
      }
    }
    int[] best = {-1};
    head.logits(
        workspace,
        x.view(tokens.length - 1, 0, 1, spec.hidden()),
        observer,
        (_, logits) -> best[0] = mostLikely(logits));
    return best[0];
  }

  private int mostLikely(FloatMatrix logits) {
    int best = 0;
    for (int i = 1; i < logits.columns(); i++) {
      if (logits.get(0, i) > logits.get(0, best)) {
        best = i;
      }
    }
    if (!Float.isFinite(logits.get(0, best))) {
      throw new CheckpointException(
          subject.model().folder().toString(),
          "expected finite logits, found " + logits.get(0, best) + " for token " + ids.length,
          "The checkpoint is damaged, or a scale in it is far off: quern verify looks for both.");
    }
    return best;
  }

  @Override
  public void close() {
    held.forEach(each -> each.weights().close());
    ends.close();
    stream.close();
    cache.close();
    observer.close();
    workspace.close();
    workers.close();
  }
}
