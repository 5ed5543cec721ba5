package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A matrix of the model as an engine will find it.
 *
 * @param name full module name
 * @param className {@code Linear} or {@code Embedding}
 * @param rows output features
 * @param cols input features
 * @param scheme how it is quantized; empty when it is not
 */
public record ServedModule(
    String name, String className, long rows, long cols, Optional<QuantizationScheme> scheme) {
  /** How an engine cuts a matrix for tensor parallelism. */
  enum Cut {
    /** Rows: each rank has some of the outputs. */
    COLUMN_PARALLEL,
    /** Columns: each rank has some of the inputs. */
    ROW_PARALLEL,
    /** Not known, or not cut. */
    NONE
  }

  private static final Pattern ROUTED = Pattern.compile("\\.experts\\.\\d+\\.");

  private static final List<String> COLUMN =
      List.of("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj", "w1", "w3", "qkv_proj",
          "gate_up_proj", "q_b_proj", "kv_b_proj");
  private static final List<String> ROW = List.of("o_proj", "down_proj", "w2", "out_proj");

  /** The module's own name, without its parents. */
  String last() {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** The names of its parents with a dot at the end. */
  String parent() {
    return name.substring(0, name.lastIndexOf('.') + 1);
  }

  /** Whether it is a matrix of a routed expert, all of which engines stack in one. */
  boolean isRoutedExpert() {
    return ROUTED.matcher(name).find();
  }

  Cut cut() {
    if (COLUMN.contains(last())) {
      return Cut.COLUMN_PARALLEL;
    }
    return ROW.contains(last()) ? Cut.ROW_PARALLEL : Cut.NONE;
  }

  /** Arguments of its weights. */
  Optional<QuantizationArgs> weights() {
    return scheme.flatMap(QuantizationScheme::weights);
  }
}
