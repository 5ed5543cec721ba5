package dev.quern.engine.solver;

/** Hears how far a solver is, and may stop it. */
@FunctionalInterface
public interface Progress {
  /** Says nothing and never stops. */
  Progress NONE = (done, columns) -> true;

  /**
   * Called by the thread that called the solver, each time some more columns are done.
   *
   * @param done columns that are done
   * @param columns columns of the matrix
   * @return whether to go on; if not, the solver throws {@link
   *     java.util.concurrent.CancellationException}
   */
  boolean columns(int done, int columns);
}
