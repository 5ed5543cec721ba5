package dev.quern.pipeline;

import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.parallel.NoThreadException;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.archive.ArchiveReader;
import dev.quern.formats.archive.ArchiveType;
import dev.quern.formats.archive.ArchiveWriter;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/** Packs and unpacks: the output's folder or archive, and what happens around the work itself. */
final class PackedCheckpoints {
  private PackedCheckpoints() {}

  static PackReport pack(PackOptions options, Progress progress) throws InterruptedException {
    long start = System.nanoTime();
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(options.model())) {
      PackPlan plan = Packing.plan(checkpoint, options.layout());
      Path result = result(options);
      check(options, result);
      try (OutputFolder folder = OutputFolder.create(options.output());
          Workers workers = new Workers(options.threads())) {
        MemoryBudget budget = new MemoryBudget(options.memoryBytes());
        Packing.run(checkpoint, plan, folder.partial(), workers, budget, progress);
        if (options.archive().isPresent()) {
          archive(folder.partial(), options.archive().get(), result);
        } else {
          check(options, result);
          folder.publish();
        }
      }
      long nanos = System.nanoTime() - start;
      return PackReport.of(result, plan, checkpoint.totalBytes(), nanos);
    } catch (Exception e) {
      throw rethrown(options.output(), options.threads(), e);
    }
  }

  /** The folder, or the archive beside where it would be. */
  private static Path result(PackOptions options) {
    return options
        .archive()
        .map(
            type ->
                options
                    .output()
                    .resolveSibling(options.output().getFileName() + "." + type.suffix()))
        .orElse(options.output());
  }

  private static void check(PackOptions options, Path result) {
    if (options.archive().isEmpty()) {
      OutputFolder.check(options.output(), options.model(), options.overwrite());
    } else if (Files.exists(result) && !(options.overwrite() && Files.isRegularFile(result))) {
      throw new QuernException(
          QuernException.Kind.OUTPUT,
          result.toString(),
          "exists already",
          "Name another output, or give --overwrite.");
    }
  }

  private static void archive(Path folder, ArchiveType type, Path result) throws IOException {
    Path partial = folder.resolveSibling(folder.getFileName() + "." + type.suffix());
    try {
      Files.deleteIfExists(partial);
      ArchiveWriter.write(folder, type, partial);
      Files.move(
          partial, result, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  static void unpack(UnpackOptions options, Progress progress) throws InterruptedException {
    try {
      OutputFolder.check(options.output(), options.packed(), options.overwrite());
      try (OutputFolder folder = OutputFolder.create(options.output());
          Workers workers = new Workers(options.threads())) {
        MemoryBudget budget = new MemoryBudget(options.memoryBytes());
        Optional<ArchiveType> archive =
            Files.isRegularFile(options.packed())
                ? Optional.of(archiveType(options.packed()))
                : Optional.empty();
        if (archive.isEmpty()) {
          Unpacking.run(options.packed(), folder.partial(), workers, budget, progress);
        } else {
          Path partial = folder.partial();
          Path extracted = Files.createDirectory(partial.resolve(".packed"));
          long free = Files.getFileStore(partial).getUsableSpace();
          ArchiveReader.extract(options.packed(), archive.get(), extracted, free);
          Path logical = Files.createDirectory(partial.resolve(".logical"));
          Unpacking.run(extracted, logical, workers, budget, progress);
          OutputFolder.replaceBy(partial, logical);
        }
        OutputFolder.check(options.output(), options.packed(), options.overwrite());
        folder.publish();
      }
    } catch (Exception e) {
      throw rethrown(options.output(), options.threads(), e);
    }
  }

  private static ArchiveType archiveType(Path file) {
    return ArchiveType.ofFile(file.getFileName().toString())
        .orElseThrow(
            () ->
                new QuernException(
                    QuernException.Kind.INPUT,
                    file.toString(),
                    "expected a folder, or a file that ends in .tar.zst or .zip",
                    "Give what quern pack made."));
  }

  /** The exception that a caller sees for one that ended the work. */
  private static RuntimeException rethrown(Path output, int threads, Exception e)
      throws InterruptedException {
    return switch (e) {
      case CheckpointException refused -> new QuernException(QuernException.Kind.INPUT, refused);
      case NoThreadException none ->
          new QuernException(
              QuernException.Kind.REQUEST,
              "--threads " + threads,
              none.getMessage(),
              "Close other programs, or raise the limit on processes (ulimit -u).");
      case RuntimeException runtime -> runtime;
      case InterruptedException interrupted -> throw interrupted;
      case IOException io -> OutputFiles.failed(output, io);
      default -> new IllegalStateException(e);
    };
  }
}
