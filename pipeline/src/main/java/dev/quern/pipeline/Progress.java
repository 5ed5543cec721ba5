package dev.quern.pipeline;

/**
 * Hears how far a run has come. Methods are called from several threads and must return at once.
 */
public interface Progress {
  /** A listener that does nothing. */
  Progress NONE =
      new Progress() {
        @Override
        public void stage(String name, long bytes) {}

        @Override
        public void advance(long bytes) {}
      };

  /**
   * A stage begins.
   *
   * @param name a word for people: {@code measure} (only where a scheme needs it), {@code
   *     compress}, {@code verify}
   * @param bytes source bytes that it will go through
   */
  void stage(String name, long bytes);

  /** So many more source bytes of the current stage are done. */
  void advance(long bytes);
}
