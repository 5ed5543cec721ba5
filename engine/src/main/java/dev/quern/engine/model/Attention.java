package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.Workspace;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Attention with its weights. Each task takes one head and {@link #QUERIES} queries; its scores,
 * [queries, keys so far], are all that is held of them.
 *
 * <p>The law, for one query with the keys j that it sees: scores are chains of fused multiply-adds
 * over a head's elements ({@link Gemm}); their exponentials are summed in 16 lanes, key j in lane
 * {@code j % 16}; the output is a chain over the keys, ascending, times {@code 1 / sum}. Keys that
 * a query does not see, but another one of its tile does, have the weight +0 and change no bit,
 * unless their values are infinite or NaN.
 */
final class Attention {
  /** Queries of a tile: enough for products, few enough for the scores to stay in a cache. */
  private static final int QUERIES = 64;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Tiles begin at a multiple of this, so that a key has the same lane in every tile. */
  private static final int LANES = 16;

  private final AttentionSpec spec;
  private final Projection projection;
  private final Projection output;
  private final Optional<Norm> queryNorm;
  private final Optional<Norm> keyNorm;

  Attention(AttentionSpec spec, Weights weights) {
    this.spec = spec;
    projection = new Projection(spec.projection(), weights);
    output = new Projection(spec.output(), weights);
    boolean across = spec.normAcrossHeads();
    int querySize = (across ? spec.heads() : 1) * spec.headSize();
    int keySize = (across ? spec.keyHeads() : 1) * spec.headSize();
    queryNorm = spec.queryNorm().map(norm -> new Norm(norm, querySize, weights));
    keyNorm = spec.keyNorm().map(norm -> new Norm(norm, keySize, weights));
  }

  /**
   * From the input's rows to {@code target}, which is not the input.
   *
   * @param cache takes these tokens' keys and values, and has those before; empty for a sequence
   *     that begins and ends here
   */
  void apply(
      DecoderWorkspace workspace,
      FloatMatrix input,
      LayerObserver observer,
      Optional<LayerCache> cache,
      FloatMatrix target) {
    int tokens = input.rows();
    int before = cache.map(LayerCache::tokens).orElse(0);
    int queryColumns = spec.heads() * spec.headSize();
    int keyColumns = spec.keyHeads() * spec.headSize();
    FloatMatrix all =
        workspace.buffer(DecoderWorkspace.Slot.PROJECTED, tokens, projection.outputs());
    projection.apply(workspace, input, observer, all);
    FloatMatrix queries = all.view(0, 0, tokens, queryColumns);
    FloatMatrix keys = all.view(0, queryColumns, tokens, keyColumns);
    FloatMatrix values = all.view(0, queryColumns + keyColumns, tokens, keyColumns);
    prepare(workspace, before, queries, keys);
    observer.queries(spec.name(), queries);
    scale(workspace, queries);
    observer.keys(spec.name(), keys);
    observer.values(spec.name(), values);
    cache.ifPresent(c -> c.append(keys, values));
    FloatMatrix allKeys = cache.map(LayerCache::keys).orElse(keys);
    FloatMatrix allValues = cache.map(LayerCache::values).orElse(values);
    FloatMatrix mixed = workspace.buffer(DecoderWorkspace.Slot.GATED, tokens, queryColumns);
    int tiles = Math.ceilDiv(tokens, QUERIES);
    // The last tiles have the most keys, so they come first.
    workspace.run(
        tiles * spec.heads(),
        2L * tokens * allKeys.rows() * queryColumns,
        (task, worker) -> {
          int tile = tiles - 1 - task / spec.heads();
          int head = task % spec.heads();
          tile(workspace, worker, head, tile, before, queries, allKeys, allValues, mixed);
        });
    output.apply(workspace, mixed, observer, target);
  }

  /** Norms and rotation. */
  private void prepare(
      DecoderWorkspace workspace, int before, FloatMatrix queries, FloatMatrix keys) {
    DecoderKernels kernels = workspace.kernels();
    Optional<RopeTable> rope = spec.rope().map(r -> workspace.rope(r, before + queries.rows()));
    workspace.rows(
        queries.rows(),
        16L * queries.columns(),
        row -> {
          norm(kernels, queryNorm, queries, row);
          norm(kernels, keyNorm, keys, row);
          rope.ifPresent(
              table -> {
                rotate(kernels, table, before, queries, row);
                rotate(kernels, table, before, keys, row);
              });
        });
  }

  private void scale(DecoderWorkspace workspace, FloatMatrix queries) {
    DecoderKernels kernels = workspace.kernels();
    workspace.rows(
        queries.rows(),
        queries.columns(),
        row ->
            kernels.scale(queries.data(), queries.offset(row, 0), queries.columns(), spec.scale()));
  }

  private static void norm(
      DecoderKernels kernels, Optional<Norm> norm, FloatMatrix matrix, int row) {
    if (norm.isPresent()) {
      int size = norm.get().size();
      for (int column = 0; column < matrix.columns(); column += size) {
        long at = matrix.offset(row, column);
        norm.get().apply(kernels, matrix.data(), at, matrix.data(), at);
      }
    }
  }

  private void rotate(
      DecoderKernels kernels, RopeTable table, int before, FloatMatrix matrix, int row) {
    FloatMatrix angles = table.angles();
    for (int column = 0; column < matrix.columns(); column += spec.headSize()) {
      kernels.rotate(
          matrix.data(),
          matrix.offset(row, column),
          table.pairs(),
          angles.data(),
          angles.offset(before + row, 0));
    }
  }

  private void tile(
      DecoderWorkspace workspace,
      int worker,
      int head,
      int tile,
      int before,
      FloatMatrix queries,
      FloatMatrix keys,
      FloatMatrix values,
      FloatMatrix target) {
    final int size = spec.headSize();
    final int keyColumn = head / (spec.heads() / spec.keyHeads()) * size;
    final int first = tile * QUERIES;
    final int end = Math.min(queries.rows(), first + QUERIES);
    final int firstKey = firstSeen(before + first) / LANES * LANES;
    final int seen = before + end - firstKey;
    FloatMatrix scores = workspace.own(worker, end - first, seen);
    Workspace products = workspace.products(worker);
    Gemm.set(
        products,
        queries.view(first, head * size, end - first, size).operand(),
        keys.view(firstKey, keyColumn, seen, size).transposed(),
        scores);
    float[] sums = new float[end - first];
    for (int row = 0; row < sums.length; row++) {
      sums[row] = softmax(workspace.kernels(), scores, row, before + first + row, firstKey);
    }
    FloatMatrix mixed = target.view(first, head * size, end - first, size);
    Gemm.set(
        products, scores.operand(), values.view(firstKey, keyColumn, seen, size).operand(), mixed);
    for (int row = 0; row < sums.length; row++) {
      workspace.kernels().scale(mixed.data(), mixed.offset(row, 0), size, 1 / sums[row]);
    }
  }

  /** The first key that the query at this position sees. */
  private int firstSeen(int query) {
    return spec.window() == 0 ? 0 : Math.max(0, query - spec.window() + 1);
  }

  /** From scores to numerators; those of keys that the query does not see become zero. */
  private float softmax(
      DecoderKernels kernels, FloatMatrix scores, int row, int query, int firstKey) {
    MemorySegment data = scores.data();
    int seen = query + 1 - firstKey;
    long begin = scores.offset(row, 0);
    if (spec.softCap() > 0) {
      kernels.softCap(data, begin, seen, spec.softCap());
    }
    int hidden = Math.max(0, firstSeen(query) - firstKey);
    for (int i = 0; i < hidden; i++) {
      data.set(FLOAT, begin + 4L * i, Float.NEGATIVE_INFINITY);
    }
    float sum = kernels.exponentials(data, begin, seen);
    data.asSlice(begin + 4L * seen, 4L * (scores.columns() - seen)).fill((byte) 0);
    return sum;
  }
}
