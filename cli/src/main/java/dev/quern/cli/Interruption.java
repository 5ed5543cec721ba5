package dev.quern.cli;

/**
 * Turns Ctrl-C and SIGTERM into an interrupt of the thread that works, and holds the JVM until that
 * thread has cleaned up.
 */
final class Interruption implements AutoCloseable {
  // Longer than a piece of work takes; who is more impatient can kill.
  private static final long PATIENCE_MILLIS = 10_000;

  private final Thread worker;
  private final Thread hook;
  private volatile boolean done;

  private Interruption(Thread worker) {
    this.worker = worker;
    this.hook = Thread.ofPlatform().name("quern-interruption").unstarted(this::interrupt);
  }

  static Interruption ofThisThread() {
    Interruption interruption = new Interruption(Thread.currentThread());
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  private void interrupt() {
    worker.interrupt();
    long end = System.currentTimeMillis() + PATIENCE_MILLIS;
    synchronized (this) {
      while (!done && System.currentTimeMillis() < end) {
        try {
          wait(100);
        } catch (InterruptedException e) {
          return;
        }
      }
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      done = true;
      notifyAll();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is going down already, and the hook has done its work.
    }
  }
}
