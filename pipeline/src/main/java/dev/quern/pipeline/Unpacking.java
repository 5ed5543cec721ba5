package dev.quern.pipeline;

import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.layout.KernelLayout;
import dev.quern.formats.layout.KernelLayouts;
import dev.quern.formats.layout.LayoutException;
import dev.quern.formats.layout.PackedTensor;
import dev.quern.formats.layout.TensorType;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the logical checkpoint that a packed one was made of, byte for byte.
 *
 * <p>First come the files and headers as they were, then the tensors that were carried, and then,
 * planned from the headers anew, what the packed tensors give back.
 */
final class Unpacking {
  private static final long WINDOW = 16L << 20;

  private final Path packed;
  private final Path output;
  private final LayoutFile layout;
  private final MemoryBudget budget;
  private final Progress progress;
  private final Map<String, SourceTensor> tensors = new HashMap<>();
  private final Map<String, FileChannel> targets = new HashMap<>();

  private Unpacking(Path packed, Path output, MemoryBudget budget, Progress progress) {
    this.packed = packed;
    this.output = output;
    this.layout = LayoutFile.read(packed);
    this.budget = budget;
    this.progress = progress;
  }

  static void run(Path packed, Path output, Workers workers, MemoryBudget budget, Progress progress)
      throws Exception {
    Unpacking unpacking = new Unpacking(packed, output, budget, progress);
    List<SafetensorsFile> files = new ArrayList<>();
    try {
      for (LayoutFile.Shard shard : unpacking.layout.shards()) {
        SafetensorsFile file = SafetensorsFile.open(packed.resolve(shard.packed()));
        files.add(file);
        file.tensors().forEach(t -> unpacking.tensors.put(t.name(), new SourceTensor(file, t)));
      }
      unpacking.copyFiles();
      unpacking.writeTensors(workers);
    } finally {
      files.forEach(SafetensorsFile::close);
      for (FileChannel target : unpacking.targets.values()) {
        target.close();
      }
    }
  }

  private void copyFiles() throws IOException {
    for (Map.Entry<String, String> file : layout.files().entrySet()) {
      Path from = packed.resolve(Packing.CHECKPOINT).resolve(file.getKey());
      Path to = output.resolve(file.getKey());
      requireFile(from);
      Files.createDirectories(to.getParent());
      Files.copy(from, to);
      requireSame(Packing.CHECKPOINT + "/" + file.getKey(), file.getValue(), Digests.of(to));
    }
    for (LayoutFile.Shard shard : layout.shards()) {
      Path header = packed.resolve(LayoutFile.headerFile(shard.file()));
      requireFile(header);
      Path to = output.resolve(shard.file());
      Files.copy(header, to);
      long available = tensors.values().stream().mapToLong(t -> t.info().bytes()).sum();
      // 2:4 keeps half of a weight and says which; no layout is smaller than that.
      if (shard.bytes() < Files.size(to) || shard.bytes() - Files.size(to) > 2 * available) {
        throw damaged(shard.file(), "a file of " + shard.bytes() + " bytes cannot come of this");
      }
      try (RandomAccessFile file = new RandomAccessFile(to.toFile(), "rw")) {
        file.setLength(shard.bytes());
      }
      targets.put(shard.file(), FileChannel.open(to, StandardOpenOption.WRITE));
    }
  }

  private void requireFile(Path file) {
    if (!Files.isRegularFile(file)) {
      throw damaged(packed.relativize(file).toString(), "missing");
    }
  }

  private void writeTensors(Workers workers) throws Exception {
    try (HuggingFaceCheckpoint logical = HuggingFaceCheckpoint.open(output)) {
      progress.stage("unpack", logical.totalBytes());
      List<String> carried = new ArrayList<>(layout.carried().keySet());
      workers.run(carried.size(), (task, worker) -> carry(logical, carried.get(task)));
      // weight_shape is among what was carried, so modules can be planned now.
      PackPlan plan =
          PackPlan.of(
              logical,
              QuantizedModules.of(logical, layout.takesPlain()),
              (name, matrix) -> {
                LayoutFile.Module module = layout.modules().get(name);
                if (module == null) {
                  throw new LayoutException("a packed module", "one that was kept");
                }
                KernelLayout kernel =
                    KernelLayouts.named(module.layout())
                        .orElseThrow(() -> damaged(name, "unknown layout " + module.layout()));
                try {
                  return new PackPlan.Chosen(kernel, kernel.plan(matrix));
                } catch (LayoutException e) {
                  throw damaged(name, kernel.id() + ": " + e.getMessage());
                }
              });
      if (plan.modules().size() != layout.modules().size()
          || plan.carried().size() != layout.carried().size()) {
        throw damaged(
            LayoutFile.NAME,
            "lists "
                + layout.modules().size()
                + " modules and "
                + layout.carried().size()
                + " other tensors, and the headers make that "
                + plan.modules().size()
                + " and "
                + plan.carried().size());
      }
      workers.run(
          plan.modules().size(), (task, worker) -> unpack(logical, plan.modules().get(task)));
    }
  }

  private void carry(HuggingFaceCheckpoint logical, String name) throws IOException {
    SourceTensor from = tensor(name);
    TensorInfo info = from.info();
    SourceTensor to =
        logical
            .find(name)
            .filter(t -> t.info().spec().equals(info.spec()))
            .orElseThrow(() -> damaged(name, "the checkpoint's header has no such tensor"));
    Digests digest = new Digests();
    for (long at = 0; at < info.bytes(); at += WINDOW) {
      long length = Math.min(WINDOW, info.bytes() - at);
      try (MemoryBudget.Lease _ = budget.acquire(Math.min(length, budget.limit()));
          Arena arena = Arena.ofConfined()) {
        MemorySegment window = from.file().map(info, at, length, arena);
        digest.add(window);
        write(to, at, window);
        progress.advance(length);
      }
    }
    requireSame(name, layout.carried().get(name), digest.hex());
  }

  private void unpack(HuggingFaceCheckpoint logical, PackPlan.Module module) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Map<String, MemorySegment> from = new HashMap<>();
      for (PackedTensor tensor : module.tensors()) {
        String name = module.full(tensor.name());
        SourceTensor found = tensor(name);
        TensorType type = new TensorType(found.info().dtype(), found.info().shape());
        if (!type.equals(tensor.type())) {
          throw damaged(name, "expected " + tensor.type() + ", found " + type);
        }
        MemorySegment bytes = found.file().map(found.info(), 0, found.info().bytes(), arena);
        String expected = layout.modules().get(module.name()).digests().get(tensor.name());
        requireSame(name, String.valueOf(expected), Digests.of(bytes));
        from.put(tensor.name(), bytes);
      }
      for (PackedTensor tensor : module.tensors()) {
        if (tensor.restores()) {
          String name = module.full(tensor.source().orElseThrow());
          SourceTensor to = logical.find(name).orElseThrow();
          long bytes = to.info().bytes();
          try (MemoryBudget.Lease _ = budget.acquire(Math.min(2 * bytes, budget.limit()));
              Arena scratch = Arena.ofConfined()) {
            MemorySegment target = NativeMemory.allocate(scratch, bytes);
            tensor.unpack(from::get, target);
            write(to, 0, target);
            progress.advance(bytes);
          }
        }
      }
    } catch (LayoutException e) {
      throw damaged(module.name(), e.getMessage());
    }
  }

  private SourceTensor tensor(String name) {
    SourceTensor found = tensors.get(name);
    if (found == null) {
      throw damaged(name, "expected a tensor of this name, found none");
    }
    return found;
  }

  /** Positional writes: threads share the channel. */
  private void write(SourceTensor to, long offset, MemorySegment bytes) throws IOException {
    SafetensorsFile file = to.file();
    long data = file.tensors().stream().mapToLong(TensorInfo::end).max().orElse(0);
    long at = file.fileBytes() - data + to.info().begin() + offset;
    FileChannel channel = targets.get(file.path().getFileName().toString());
    for (long done = 0; done < bytes.byteSize(); done += WINDOW) {
      long length = Math.min(WINDOW, bytes.byteSize() - done);
      ByteBuffer buffer = bytes.asSlice(done, length).asByteBuffer();
      while (buffer.hasRemaining()) {
        channel.write(buffer, at + done + buffer.position());
      }
    }
  }

  private void requireSame(String what, String expected, String found) {
    if (!expected.equals(found)) {
      throw damaged(what, "expected SHA-256 " + expected + ", found " + found);
    }
  }

  private CheckpointException damaged(String what, String problem) {
    return new CheckpointException(
        packed + ", " + what, problem, "The packed checkpoint is damaged; pack it again.");
  }
}
