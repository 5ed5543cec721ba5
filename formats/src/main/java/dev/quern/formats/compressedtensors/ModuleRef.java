package dev.quern.formats.compressedtensors;

/**
 * What matching needs to know of a module.
 *
 * @param name full name, such as {@code model.layers.0.self_attn.q_proj}
 * @param className class name, such as {@link ModuleClass#LINEAR}
 */
public record ModuleRef(String name, String className) {}
