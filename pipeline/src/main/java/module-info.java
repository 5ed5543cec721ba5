/** Recipe, plan, run, verify: the whole compression of a checkpoint, as a library. */
module dev.quern.pipeline {
  requires transitive dev.quern.engine;
  requires transitive dev.quern.formats;

  exports dev.quern.pipeline;
}
