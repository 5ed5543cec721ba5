/** Every byte that is read or written: safetensors, Hugging Face folders, compressed-tensors. */
// The tokenizer is no module yet; its jars state these names.
@SuppressWarnings("requires-automatic")
module dev.quern.formats {
  requires ai.djl.api;
  requires ai.djl.tokenizers;
  requires com.fasterxml.jackson.core;
  requires transitive dev.quern.engine;
  requires org.apache.commons.compress;
  requires org.snakeyaml.engine;

  exports dev.quern.formats;
  exports dev.quern.formats.archive;
  exports dev.quern.formats.calibration;
  exports dev.quern.formats.compressedtensors;
  exports dev.quern.formats.huggingface;
  exports dev.quern.formats.jinja;
  exports dev.quern.formats.json;
  exports dev.quern.formats.layout;
  exports dev.quern.formats.recipe;
  exports dev.quern.formats.safetensors;
  exports dev.quern.formats.target;
  exports dev.quern.formats.target.selection;
  exports dev.quern.formats.text;
}
