package dev.quern.cli;

import static dev.quern.testdata.TinyCheckpoint.HIDDEN;
import static dev.quern.testdata.TinyCheckpoint.LAYER;
import static dev.quern.testdata.TinyCheckpoint.Q_PROJ;

import dev.quern.testdata.TinyCheckpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Valid files whose tensors cannot be compressed: no numbers, no matrices, names in use. */
final class HostileTensors {
  private static final String IGNORE_Q = "--ignore model.layers.0.self_attn.q_proj";

  private HostileTensors() {}

  static List<HostileCase> cases() {
    List<HostileCase> cases = new ArrayList<>();
    for (String scheme : List.of("FP8_DYNAMIC", "FP8_BLOCK")) {
      for (String dtype : List.of("BF16", "F16", "F32")) {
        nonFinite(cases, scheme, dtype, Float.NaN);
        nonFinite(cases, scheme, dtype, Float.POSITIVE_INFINITY);
        nonFinite(cases, scheme, dtype, Float.NEGATIVE_INFINITY);
      }
    }
    shape(cases, "weight of dimension 0", "BF16 []", "BF16", 2);
    shape(cases, "weight of dimension 1", "BF16 [32]", "BF16", 64, 32);
    shape(cases, "weight of dimension 3", "BF16 [2, 4, 4]", "BF16", 64, 2, 4, 4);
    shape(cases, "matrix without rows", "BF16 [0, 32]", "BF16", 0, 0, 32);
    shape(cases, "matrix without columns", "BF16 [32, 0]", "BF16", 0, 32, 0);
    shape(cases, "rows by the billion", "BF16 [9000000000, 0]", "BF16", 0, 9_000_000_000L, 0);
    shape(cases, "matrix of integers", "I32 [4, 4]", "I32", 64, 4, 4);
    shape(cases, "matrix of doubles", "F64 [4, 4]", "F64", 128, 4, 4);
    shape(cases, "matrix in FP8 already", "F8_E4M3 [4, 4]", "F8_E4M3", 16, 4, 4);
    cases.add(
        tensors(
            "scale that is there already",
            LAYER + "self_attn.q_proj.weight_scale would also be made from",
            "give the one it was made from",
            tiny ->
                tiny.with(
                    LAYER + "self_attn.q_proj.weight_scale",
                    "F32",
                    new byte[4 * HIDDEN],
                    HIDDEN,
                    1)));
    cases.add(
        tensors(
            "no tensor at all",
            "no module of class Linear",
            "quern inspect",
            ExitCode.USAGE,
            tiny -> {
              tiny.names().forEach(tiny::without);
              return tiny;
            }));
    cases.add(
        tensors(
            "norms and embedding alone",
            "no module of class Linear",
            "quern inspect",
            ExitCode.USAGE,
            tiny -> {
              tiny.names().stream().filter(name -> name.contains("proj")).forEach(tiny::without);
              return tiny.without("lm_head.weight");
            }));
    return cases;
  }

  private static void nonFinite(List<HostileCase> cases, String scheme, String dtype, float value) {
    cases.add(
        new HostileCase(
            value + " in " + dtype + ", " + scheme,
            ExitCode.INPUT,
            "model.safetensors, tensor "
                + Q_PROJ
                + " [3, 5]: expected finite weights, found "
                + value,
            IGNORE_Q,
            scene -> {
              TinyCheckpoint.llama(dtype).set(Q_PROJ, 3 * HIDDEN + 5, value).write(scene.in());
              scene.scheme(scheme);
            }));
  }

  private static void shape(
      List<HostileCase> cases, String name, String found, String dtype, int bytes, long... shape) {
    cases.add(
        tensors(
            name,
            "model.safetensors, tensor "
                + Q_PROJ
                + ": expected a matrix [out, in] of BF16, F16 or F32 that is not empty, found "
                + found,
            IGNORE_Q,
            tiny -> tiny.with(Q_PROJ, dtype, new byte[bytes], shape)));
  }

  private static HostileCase tensors(
      String name, String place, String remedy, UnaryOperator<TinyCheckpoint> change) {
    return tensors(name, place, remedy, ExitCode.INPUT, change);
  }

  private static HostileCase tensors(
      String name,
      String place,
      String remedy,
      int exitCode,
      UnaryOperator<TinyCheckpoint> change) {
    return new HostileCase(
        name,
        exitCode,
        place,
        remedy,
        scene -> change.apply(TinyCheckpoint.llama("BF16")).write(scene.in()));
  }
}
