/** Numbers and loops: number formats, bulk kernels, native memory, deterministic parallel work. */
module dev.quern.engine {
  requires jdk.incubator.vector;

  exports dev.quern.engine.annotation;
  exports dev.quern.engine.evaluation;
  exports dev.quern.engine.kernel;
  exports dev.quern.engine.linalg;
  exports dev.quern.engine.memory;
  exports dev.quern.engine.model;
  exports dev.quern.engine.numeric;
  exports dev.quern.engine.parallel;
  exports dev.quern.engine.quantization;
  exports dev.quern.engine.quantization.observer;
  exports dev.quern.engine.solver;
  exports dev.quern.engine.sparsity;
}
