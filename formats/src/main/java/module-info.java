/** Every byte that is read or written: safetensors, Hugging Face folders, compressed-tensors. */
module dev.quern.formats {
  requires com.fasterxml.jackson.core;
  requires transitive dev.quern.engine;
  requires org.snakeyaml.engine;

  exports dev.quern.formats;
  exports dev.quern.formats.compressedtensors;
  exports dev.quern.formats.huggingface;
  exports dev.quern.formats.json;
  exports dev.quern.formats.recipe;
  exports dev.quern.formats.safetensors;
  exports dev.quern.formats.target;
}
