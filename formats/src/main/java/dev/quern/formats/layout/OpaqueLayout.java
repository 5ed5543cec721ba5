package dev.quern.formats.layout;

import java.util.List;

/**
 * An order of bytes that no formula gives: a library makes it when it runs, for the machine that it
 * runs on, or its authors keep it to themselves. Checkpoints hold logical tensors for it.
 *
 * @param name of the library or kernel
 * @param reason why nothing can be packed ahead, a clause
 */
public record OpaqueLayout(String name, String reason) {
  /** All that are known by name. */
  public static final List<OpaqueLayout> ALL =
      List.of(
          new OpaqueLayout(
              "cuSPARSELt",
              "the library compresses into a buffer of its own, for the GPU it finds"),
          new OpaqueLayout("oneDNN", "the memory format is chosen when the primitive is made"),
          new OpaqueLayout("zentorch", "the library packs when the model is loaded"),
          new OpaqueLayout(
              "KleidiAI",
              "its input is documented (nibbles of the code plus 8, two inputs a byte, the even one"
                  + " lower), what it packs from that is not"),
          new OpaqueLayout("Humming", "kernels and their order are generated at run time"),
          new OpaqueLayout("B12x", "the order has not been published"),
          new OpaqueLayout("cuDNN", "the order inside its plans is not documented"),
          new OpaqueLayout(
              "triton-kernels-mxfp4",
              "values and scales are swizzled for the GPU and the version of triton_kernels"),
          new OpaqueLayout("amx-int4", "the order of nibbles inside a block is not specified"));
}
