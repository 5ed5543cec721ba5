package dev.quern.pipeline;

import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.layout.KernelLayout;
import dev.quern.formats.layout.KernelLayouts;
import dev.quern.formats.layout.LayoutException;
import dev.quern.formats.layout.OpaqueLayout;
import dev.quern.formats.layout.PackedTensor;
import dev.quern.formats.layout.QuantizedMatrix;
import dev.quern.formats.layout.TensorType;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.SafetensorsWriter;
import dev.quern.formats.safetensors.ShardedIndex;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Writes a packed checkpoint: a task for each module, and one for each tensor that is carried.
 *
 * <p>Every packed tensor is unpacked again at once, and what comes back must equal the source: a
 * checkpoint is packed only if it can be had back byte for byte.
 */
final class Packing {
  /** Files that are not tensors, as they were. */
  static final String CHECKPOINT = "checkpoint";

  private static final TreeMap<String, String> METADATA = new TreeMap<>(Map.of("format", "pt"));
  private static final long WINDOW = 16L << 20;

  private final HuggingFaceCheckpoint checkpoint;
  private final PackPlan plan;
  private final Path folder;
  private final MemoryBudget budget;
  private final Progress progress;
  private final Map<String, SafetensorsWriter> writers = new HashMap<>();
  private final Map<String, String> digests = new ConcurrentHashMap<>();

  private Packing(
      HuggingFaceCheckpoint checkpoint,
      PackPlan plan,
      Path folder,
      MemoryBudget budget,
      Progress progress) {
    this.checkpoint = checkpoint;
    this.plan = plan;
    this.folder = folder;
    this.budget = budget;
    this.progress = progress;
  }

  /** The layouts that an option names, the first that takes a module first. */
  static PackPlan plan(HuggingFaceCheckpoint checkpoint, String layout) {
    List<KernelLayout> candidates = KernelLayouts.matching(layout);
    refuseOpaque(layout);
    if (candidates.isEmpty()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--layout " + layout,
          "unknown layout",
          "Use one of "
              + String.join(", ", KernelLayouts.all().stream().map(KernelLayout::id).toList())
              + ", or the beginning of a name, such as marlin.");
    }
    boolean plain = candidates.stream().anyMatch(KernelLayout::takesPlain);
    Map<String, QuantizedMatrix> modules = QuantizedModules.of(checkpoint, plain);
    PackPlan plan =
        PackPlan.of(
            checkpoint,
            modules,
            (name, matrix) -> {
              List<String> reasons = new ArrayList<>();
              for (KernelLayout candidate : candidates) {
                try {
                  PackPlan.Chosen chosen = new PackPlan.Chosen(candidate, candidate.plan(matrix));
                  requireData(checkpoint, name, candidate, matrix);
                  return chosen;
                } catch (LayoutException e) {
                  reasons.add(candidate.id() + ": " + e.getMessage());
                }
              }
              throw new LayoutException(reasons);
            });
    if (plan.modules().isEmpty()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--layout " + layout,
          "no module of "
              + checkpoint.directory()
              + " can be packed"
              + plan.kept().entrySet().stream()
                  .findFirst()
                  .map(first -> "; " + first.getKey() + ": " + first.getValue())
                  .orElse(", because none is quantized"),
          "Choose a layout for the checkpoint's scheme.");
    }
    return plan;
  }

  /** Some orders of bytes have a name and no formula. */
  private static void refuseOpaque(String layout) {
    OpaqueLayout.ALL.stream()
        .filter(opaque -> opaque.name().equalsIgnoreCase(layout))
        .findFirst()
        .ifPresent(
            opaque -> {
              throw new QuernException(
                  QuernException.Kind.REQUEST,
                  "--layout " + layout,
                  "nothing can be packed ahead for it: " + opaque.reason(),
                  "Publish the checkpoint as it is; the engine packs it when it starts.");
            });
  }

  /** What a layout must know of the numbers themselves. */
  private static void requireData(
      HuggingFaceCheckpoint checkpoint, String name, KernelLayout layout, QuantizedMatrix matrix) {
    try (Arena arena = Arena.ofConfined()) {
      layout.requireData(
          matrix,
          parameter -> {
            SourceTensor tensor = checkpoint.find(name + "." + parameter).orElseThrow();
            return tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
          });
    }
  }

  /** Writes everything but the archive into {@code folder}. */
  static void run(
      HuggingFaceCheckpoint checkpoint,
      PackPlan plan,
      Path folder,
      Workers workers,
      MemoryBudget budget,
      Progress progress)
      throws Exception {
    Packing packing = new Packing(checkpoint, plan, folder, budget, progress);
    packing.requireMemory();
    packing.copyFiles();
    packing.writeTensors(workers);
    LayoutFile.write(folder, checkpoint, plan, packing.digests);
  }

  private void requireMemory() {
    for (PackPlan.Module module : plan.modules()) {
      if (bytes(module) > budget.limit()) {
        throw new QuernException(
            QuernException.Kind.REQUEST,
            "--memory " + budget.limit(),
            module.name() + " needs " + bytes(module) + " bytes to be packed",
            "Give more memory.");
      }
    }
  }

  /** Source, packed tensors, and one source tensor again for the comparison and for scratch. */
  private static long bytes(PackPlan.Module module) {
    long logical = 0;
    long largest = 0;
    for (TensorType type : module.matrix().tensors().values()) {
      logical += type.bytes();
      largest = Math.max(largest, type.bytes());
    }
    long packed = module.tensors().stream().mapToLong(tensor -> tensor.type().bytes()).sum();
    return logical + packed + 2 * largest;
  }

  private void copyFiles() throws IOException {
    Path target = folder.resolve(CHECKPOINT);
    for (String file : carriedFiles(checkpoint)) {
      Path to = target.resolve(file);
      Files.createDirectories(to.getParent());
      Files.copy(checkpoint.directory().resolve(file), to);
      digests.put(CHECKPOINT + "/" + file, Digests.of(to));
    }
    for (SafetensorsFile file : checkpoint.files()) {
      String name = LayoutFile.headerFile(file.path().getFileName().toString());
      Files.createDirectories(target);
      Files.write(folder.resolve(name), header(file));
    }
  }

  /** config.json, the index if there is one, and every other file that is no weight. */
  static List<String> carriedFiles(HuggingFaceCheckpoint checkpoint) {
    List<String> files = new ArrayList<>(checkpoint.otherFiles());
    files.add("config.json");
    String index = ShardedIndex.FILE_NAME;
    if (Files.exists(checkpoint.directory().resolve(index))) {
      files.add(index);
    }
    files.sort(null);
    return files;
  }

  /** Everything before the tensors' bytes, spaces included. */
  private static byte[] header(SafetensorsFile file) throws IOException {
    long data = file.tensors().stream().mapToLong(TensorInfo::end).max().orElse(0);
    try (InputStream in = Files.newInputStream(file.path())) {
      return in.readNBytes(Math.toIntExact(file.fileBytes() - data));
    }
  }

  private void writeTensors(Workers workers) throws Exception {
    long total = checkpoint.totalBytes();
    progress.stage("pack", total);
    int packed = plan.modules().size();
    try {
      for (Map.Entry<String, List<TensorSpec>> file : plan.files().entrySet()) {
        Path path = folder.resolve(file.getKey());
        writers.put(file.getKey(), SafetensorsWriter.create(path, file.getValue(), METADATA));
      }
      workers.run(
          packed + plan.carried().size(),
          (task, worker) -> {
            if (task < packed) {
              pack(plan.modules().get(task));
            } else {
              carry(plan.carried().get(task - packed));
            }
          });
      for (SafetensorsWriter writer : writers.values()) {
        writer.force();
        writer.close();
      }
    } catch (Throwable e) {
      writers.values().forEach(SafetensorsWriter::abort);
      throw e;
    }
  }

  private void pack(PackPlan.Module module) {
    try (MemoryBudget.Lease _ = budget.acquire(bytes(module));
        Arena arena = Arena.ofConfined()) {
      Map<String, MemorySegment> logical = new HashMap<>();
      long done = 0;
      for (String name : module.matrix().tensors().keySet()) {
        SourceTensor tensor = checkpoint.find(module.full(name)).orElseThrow();
        logical.put(name, tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena));
      }
      Map<String, MemorySegment> packed = new HashMap<>();
      for (PackedTensor tensor : module.tensors()) {
        MemorySegment target = NativeMemory.allocate(arena, tensor.type().bytes());
        tensor.pack(logical::get, target);
        packed.put(tensor.name(), target);
      }
      for (PackedTensor tensor : module.tensors()) {
        MemorySegment target = packed.get(tensor.name());
        writers.get(module.file()).write(module.full(tensor.name()), 0, target);
        digests.put(module.full(tensor.name()), Digests.of(target));
        if (tensor.restores()) {
          MemorySegment source = logical.get(tensor.source().orElseThrow());
          requireBack(module, tensor, packed, source);
          done += source.byteSize();
        }
      }
      progress.advance(done);
    }
  }

  private static void requireBack(
      PackPlan.Module module,
      PackedTensor tensor,
      Map<String, MemorySegment> packed,
      MemorySegment source) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment back = NativeMemory.allocate(arena, source.byteSize());
      tensor.unpack(packed::get, back);
      long at = back.mismatch(source);
      if (at >= 0) {
        throw new QuernException(
            QuernException.Kind.INPUT,
            module.full(tensor.source().orElseThrow()) + ", byte " + at,
            "bits are set that are no part of any code, and no layout has a place for them",
            "The checkpoint is damaged or another program's; compress the model again.");
      }
    }
  }

  private void carry(PackPlan.Carried carried) {
    TensorInfo info = carried.tensor().info();
    Digests digest = new Digests();
    for (long at = 0; at < info.bytes(); at += WINDOW) {
      long length = Math.min(WINDOW, info.bytes() - at);
      try (MemoryBudget.Lease _ = budget.acquire(Math.min(length, budget.limit()));
          Arena arena = Arena.ofConfined()) {
        MemorySegment window = carried.tensor().file().map(info, at, length, arena);
        writers.get(carried.file()).write(info.name(), at, window);
        digest.add(window);
        progress.advance(length);
      }
    }
    digests.put(info.name(), digest.hex());
  }
}
