package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.MatrixOperand;
import java.util.List;

/** The end of a decoder: the last norm, and the logits, some tokens at a time. */
public final class Head {
  /** The most bytes of logits that are held at once, unless one token has more. */
  public static final long MAX_LOGIT_BYTES = 32L << 20;

  /** Takes logits; what it is given is valid during the call only. */
  @FunctionalInterface
  public interface Logits {
    /**
     * @param firstToken position of the first row
     * @param logits [tokens, vocabulary]
     */
    void accept(int firstToken, FloatMatrix logits);
  }

  private final DecoderSpec spec;
  private final Norm norm;
  private final MatrixOperand transposed;

  /** Finds the weights, which must live as long as this. */
  public Head(DecoderSpec spec, Weights weights) {
    this.spec = spec;
    norm = new Norm(spec.norm(), spec.hidden(), weights);
    transposed = weights.matrix(spec.headTensor(), spec.vocabulary(), spec.hidden()).transposed();
  }

  /**
   * Computes the logits of each token, in order, on the thread that calls.
   *
   * @param x what the last layer left, [tokens, hidden]; not changed
   * @param observer sees the head's input, under the name of the head's module
   */
  public void logits(
      DecoderWorkspace workspace, FloatMatrix x, LayerObserver observer, Logits consumer) {
    int atOnce =
        (int) Math.clamp(MAX_LOGIT_BYTES / FloatMatrix.bytes(1, spec.vocabulary()), 1L, 1024L);
    for (int first = 0; first < x.rows(); first += atOnce) {
      int rows = Math.min(atOnce, x.rows() - first);
      FloatMatrix input = workspace.buffer(DecoderWorkspace.Slot.NORMED, rows, spec.hidden());
      norm.apply(workspace, x.view(first, 0, rows, spec.hidden()), input);
      observer.input(List.of(spec.head()), input);
      FloatMatrix logits =
          workspace.buffer(DecoderWorkspace.Slot.PROJECTED, rows, spec.vocabulary());
      Gemm.set(workspace.products(), input.operand(), transposed, logits);
      finish(workspace, logits);
      consumer.accept(first, logits);
    }
  }

  private void finish(DecoderWorkspace workspace, FloatMatrix logits) {
    if (spec.logitMultiplier() == 1 && spec.logitSoftCap() == 0) {
      return;
    }
    DecoderKernels kernels = workspace.kernels();
    workspace.rows(
        logits.rows(),
        24L * logits.columns(),
        row -> {
          long at = logits.offset(row, 0);
          kernels.scale(logits.data(), at, logits.columns(), spec.logitMultiplier());
          if (spec.logitSoftCap() > 0) {
            kernels.softCap(logits.data(), at, logits.columns(), spec.logitSoftCap());
          }
        });
  }
}
