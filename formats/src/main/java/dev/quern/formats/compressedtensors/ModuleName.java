package dev.quern.formats.compressedtensors;

import java.util.List;

/** A dotted name taken apart: {@code model.layers.0.mlp.gate.weight}. */
record ModuleName(String module, String parameter, List<String> parts) {
  static ModuleName ofTensor(String tensor) {
    int dot = tensor.lastIndexOf('.');
    String module = dot < 0 ? "" : tensor.substring(0, dot);
    return new ModuleName(module, tensor.substring(dot + 1), List.of(module.split("\\.", -1)));
  }

  /** The module's own name, without its parents. */
  String last() {
    return parts.getLast();
  }

  /** Name of the module {@code back} levels up, or empty above the top. */
  String up(int back) {
    int index = parts.size() - 1 - back;
    return index < 0 ? "" : parts.get(index);
  }
}
