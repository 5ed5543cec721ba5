package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.MatrixOperand;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Golden;
import dev.quern.engine.parallel.Workers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Weights and Hessians for tests; layers of a real model among them. */
final class RealLayers {
  private RealLayers() {}

  /**
   * One layer.
   *
   * @param weights bf16, row-major
   */
  record Layer(String name, int rows, int cols, MemorySegment weights, Hessian hessian) {}

  /** All of them. */
  static List<Layer> read(Arena arena, Workers workers) throws IOException {
    Golden model = Golden.read("models/storyteller-4m/model.safetensors");
    Golden inputs = Golden.read("layers/hessians.safetensors");
    List<Layer> layers = new ArrayList<>();
    for (String name : List.of("0.self_attn.q_proj", "1.self_attn.o_proj", "2.mlp.gate_proj")) {
      String tensor = "model.layers." + name;
      float[] upper = inputs.floats(tensor + ".hessian");
      FloatMatrix h = FloatMatrix.allocate(arena, 256, 256);
      int next = 0;
      for (int i = 0; i < 256; i++) {
        for (int j = i; j < 256; j++) {
          h.set(i, j, upper[next]);
          h.set(j, i, upper[next++]);
        }
      }
      MemorySegment weights = bf16(arena, model.bits(tensor + ".weight", "BF16"));
      int rows = (int) (weights.byteSize() / 2 / 256);
      layers.add(new Layer(name, rows, 256, weights, Hessian.ofFull(h)));
    }
    String tensor = "model.layers.3.mlp.down_proj";
    MemorySegment x = bf16(arena, inputs.bits(tensor + ".inputs", "BF16"));
    MatrixOperand activations = MatrixOperand.of(FloatType.BF16, x, 240, 768);
    Hessian hessian = Hessian.ofActivations(arena, Kernels.best(), workers, activations);
    MemorySegment weights = bf16(arena, model.bits(tensor + ".weight", "BF16"));
    layers.add(new Layer("3.mlp.down_proj", 256, 768, weights, hessian));
    return layers;
  }

  private static MemorySegment bf16(Arena arena, int[] bits) {
    MemorySegment memory = arena.allocate(2L * bits.length, 64);
    for (int i = 0; i < bits.length; i++) {
      FloatType.BF16.store(memory, 2L * i, FloatType.BF16.decode(bits[i]));
    }
    return memory;
  }

  static MemorySegment nativeOf(Arena arena, FloatType type, float... values) {
    MemorySegment memory = arena.allocate((long) type.bytes() * values.length, 64);
    for (int i = 0; i < values.length; i++) {
      type.store(memory, (long) type.bytes() * i, values[i]);
    }
    return memory;
  }

  static Hessian hessian(Arena arena, float[] full, int n) {
    return Hessian.ofFull(FloatMatrix.of(nativeOf(arena, FloatType.F32, full), n, n));
  }

  /** {@code c} times the identity. */
  static Hessian diagonal(Arena arena, int n, float c) {
    FloatMatrix h = FloatMatrix.allocate(arena, n, n);
    for (int i = 0; i < n; i++) {
      h.set(i, i, c);
    }
    return Hessian.ofFull(h);
  }
}
