package dev.quern.cli;

import dev.quern.pipeline.Progress;
import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Progress on standard error: a bar with rate and time left on a terminal, a line for each stage
 * elsewhere.
 */
abstract class ProgressDisplay implements Progress, AutoCloseable {
  static ProgressDisplay on(PrintWriter err) {
    Console console = System.console();
    return console != null && console.isTerminal() ? new Bar() : new Lines(err);
  }

  @Override
  public abstract void close();

  private static final class Bar extends ProgressDisplay {
    private ProgressBar bar;

    @Override
    public synchronized void stage(String name, long bytes) {
      close();
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(bytes)
              .setUnit(" GB", 1_000_000_000L)
              .showSpeed()
              .setUpdateIntervalMillis(100)
              .setStyle(ProgressBarStyle.ASCII)
              .build();
    }

    @Override
    public synchronized void advance(long bytes) {
      if (bar != null) {
        bar.stepBy(bytes);
      }
    }

    @Override
    public synchronized void close() {
      if (bar != null) {
        bar.close();
        bar = null;
      }
    }
  }

  private static final class Lines extends ProgressDisplay {
    // A line for every tenth of a long stage; short ones need none in between.
    private static final long TENTH_WORTH_SAYING = 4_000_000_000L;

    private final PrintWriter err;
    private final AtomicLong done = new AtomicLong();
    private volatile String name;
    private volatile long total;

    Lines(PrintWriter err) {
      this.err = err;
    }

    @Override
    public void stage(String name, long bytes) {
      this.name = name;
      total = bytes;
      done.set(0);
      err.println("quern: " + name + " " + ByteSize.format(bytes));
      err.flush();
    }

    @Override
    public void advance(long bytes) {
      long after = done.addAndGet(bytes);
      long tenth = total / 10;
      if (tenth >= TENTH_WORTH_SAYING
          && after / tenth != (after - bytes) / tenth
          && after < total) {
        err.println(String.format(Locale.ROOT, "quern: %s %d0 %%", name, after / tenth));
        err.flush();
      }
    }

    @Override
    public void close() {
      err.flush();
    }
  }
}
