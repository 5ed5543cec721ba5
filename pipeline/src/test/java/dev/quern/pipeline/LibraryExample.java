package dev.quern.pipeline;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * How a program uses the library. The README and the Javadoc of {@link Quern} show the region;
 * {@link LibraryExampleTest} runs it.
 */
final class LibraryExample {
  private LibraryExample() {}

  // @start region="compress"
  static CompressionReport compress(Path model, Path output, PrintStream out)
      throws InterruptedException {
    CompressionOptions options =
        CompressionOptions.of(model, output, "FP8_DYNAMIC").withIgnore(List.of("re:.*down_proj"));

    CompressionPlan plan = Quern.plan(options); // from headers alone; writes nothing
    for (TensorPlan tensor : plan.tensors()) {
      out.println(tensor.source().name() + ": " + tensor.fate() + ", " + tensor.reason());
    }

    LongAdder done = new LongAdder(); // advance() is called from several threads
    Progress progress =
        new Progress() {
          @Override
          public void stage(String name, long bytes) {
            out.println(name + ": " + bytes + " bytes to go through");
          }

          @Override
          public void advance(long bytes) {
            done.add(bytes);
          }
        };
    CompressionReport report = Quern.compress(options, progress); // or a QuernException

    out.println(done.sum() + " bytes done, " + report.ratio() + " : 1");
    report.errors().forEach((kind, e) -> out.println(kind + ": " + e.signalToNoiseDb() + " dB"));
    return report;
  }
  // @end
}
