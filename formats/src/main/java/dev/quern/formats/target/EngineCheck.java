package dev.quern.formats.target;

import java.util.List;

/** One rule of an engine. */
interface EngineCheck {
  /** What it finds, module by module. */
  List<Finding> check(ServedModel model);
}
