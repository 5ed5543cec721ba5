package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.safetensors.SafetensorsWriter;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Strips, threads and fused sets: what a codec is told is what the whole matrix shows. */
class MeasurementRunTest {
  private static final int ROWS = 1500;
  private static final int COLS = 96;
  private static final String MLP = "model.layers.0.mlp.";

  @TempDir Path temp;

  /** Asks for two rounds; remembers what it was told. */
  private record Asking(
      String name, Map<String, long[]> own, Map<String, long[]> fused, int round, boolean shared)
      implements WeightCodec, Measurement {
    @Override
    public Optional<Measurement> measurement() {
      return round < 2 ? Optional.of(this) : Optional.empty();
    }

    @Override
    public long[] measure(Kernels kernels, MemorySegment source, int rows) {
      long[] sumAndMax = new long[2];
      for (int i = 0; i < rows * COLS; i++) {
        int bits = FloatType.F32.loadBits(source, 4L * i);
        sumAndMax[0] += bits;
        sumAndMax[1] = Math.max(sumAndMax[1], bits);
      }
      return sumAndMax;
    }

    @Override
    public void merge(long[] into, long[] other) {
      into[0] += other[0];
      into[1] = Math.max(into[1], other[1]);
    }

    @Override
    public boolean concernsFusedSet() {
      return shared;
    }

    @Override
    public WeightCodec bind(long[] ownNumbers, long[] fusedNumbers) {
      own.put(name + round, ownNumbers.clone());
      fused.put(name + round, fusedNumbers.clone());
      return new Asking(name, own, fused, round + 1, shared);
    }

    @Override
    public int stripRows() {
      return 3;
    }

    @Override
    public List<String> parameters() {
      return List.of();
    }

    @Override
    public long bytes(int parameter, int rows) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void compress(
        Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void decompressRow(
        Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public float relativeBound() {
      return 0;
    }

    @Override
    public double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax) {
      return 0;
    }

    @Override
    public double range(List<MemorySegment> parameters, int rows, int row) {
      return 0;
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 100000", "2, 1000000", "7, 600000", "3, 500000000"})
  void everyCodecHearsOfItsMatrixAndItsSet(int threads, long memory) throws Exception {
    writeModel();
    Map<String, long[]> own = new ConcurrentHashMap<>();
    Map<String, long[]> fused = new ConcurrentHashMap<>();
    AtomicLong advanced = new AtomicLong();
    List<String> stages = new ArrayList<>();
    Progress progress =
        new Progress() {
          @Override
          public void stage(String name, long bytes) {
            stages.add(name + " " + bytes);
          }

          @Override
          public void advance(long bytes) {
            advanced.addAndGet(bytes);
          }
        };
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(temp);
        Workers workers = new Workers(threads)) {
      SourceModel model = SourceModel.plain(checkpoint);
      List<PlannedTensor> tensors = new ArrayList<>();
      for (String name : List.of("gate_proj", "up_proj", "down_proj", "w1", "w3")) {
        boolean shared = !name.startsWith("w");
        tensors.add(planned(model, name, new Asking(name, own, fused, 0, shared)));
      }
      tensors.add(
          new PlannedTensor(plan(model, "copied"), source(model, "copied"), Optional.empty()));
      List<PlannedTensor> bound =
          new MeasurementRun(workers, new MemoryBudget(memory), progress).run(tensors);
      assertThat(bound).hasSameSizeAs(tensors);
      assertThat(bound).allMatch(tensor -> tensor.measurement().isEmpty());
      assertThat(bound.get(5)).isSameAs(tensors.get(5));
    }
    long bytes = 5L * ROWS * COLS * 4;
    assertThat(stages).containsExactly("measure " + bytes, "measure " + bytes);
    assertThat(advanced.get()).isEqualTo(2 * bytes);
    for (int round = 0; round < 2; round++) {
      assertThat(own.get("gate_proj" + round)).containsExactly(sum(1), largest(1));
      assertThat(own.get("up_proj" + round)).containsExactly(sum(2), largest(2));
      assertThat(own.get("down_proj" + round)).containsExactly(sum(3), largest(3));
      long[] set = {sum(1) + sum(2), largest(2)};
      assertThat(fused.get("gate_proj" + round)).containsExactly(set);
      assertThat(fused.get("up_proj" + round)).containsExactly(set);
      assertThat(fused.get("down_proj" + round)).containsExactly(own.get("down_proj" + round));
      // Names of a set, but the codecs say that it does not concern them.
      assertThat(fused.get("w1" + round)).containsExactly(own.get("w1" + round));
      assertThat(fused.get("w3" + round)).containsExactly(own.get("w3" + round));
    }
  }

  @Test
  void nothingIsMeasuredWhereNoCodecAsks() throws Exception {
    writeModel();
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(temp);
        Workers workers = new Workers(1)) {
      SourceModel model = SourceModel.plain(checkpoint);
      Progress none =
          new Progress() {
            @Override
            public void stage(String name, long bytes) {
              throw new AssertionError(name);
            }

            @Override
            public void advance(long bytes) {
              throw new AssertionError();
            }
          };
      List<PlannedTensor> tensors =
          List.of(planned(model, "w1", new Asking("w1", Map.of(), Map.of(), 2, true)));
      assertThat(new MeasurementRun(workers, new MemoryBudget(1 << 20), none).run(tensors))
          .isSameAs(tensors);
    }
  }

  @Test
  void aWeightThatIsNotFiniteIsNamed() throws Exception {
    writeModel();
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(temp);
        Workers workers = new Workers(2)) {
      SourceModel model = SourceModel.plain(checkpoint);
      WeightCodec codec = new E4M3TensorCodec(FloatType.F32, COLS);
      List<PlannedTensor> tensors = List.of(planned(model, "damaged", codec));
      MeasurementRun run = new MeasurementRun(workers, new MemoryBudget(1 << 20), Progress.NONE);
      assertThatThrownBy(() -> run.run(tensors))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("tensor " + MLP + "damaged.weight [1234, 5]")
          .hasMessageContaining("expected finite weights, found NaN")
          .hasMessageContaining("--ignore " + MLP + "damaged");
    }
  }

  private static long sum(int seed) {
    long sum = 0;
    for (int i = 0; i < ROWS * COLS; i++) {
      sum += Float.floatToRawIntBits(value(seed, i));
    }
    return sum;
  }

  private static long largest(int seed) {
    return Float.floatToRawIntBits(seed + (ROWS * COLS - 1f));
  }

  private static float value(int seed, int i) {
    return seed + i;
  }

  private PlannedTensor planned(SourceModel model, String name, WeightCodec codec) {
    return new PlannedTensor(plan(model, name), source(model, name), Optional.of(codec));
  }

  private static TensorPlan plan(SourceModel model, String name) {
    return new TensorPlan(
        source(model, name).spec(),
        List.of(),
        Optional.empty(),
        MLP + name,
        "test",
        Optional.empty(),
        Optional.empty(),
        List.of());
  }

  private static SourceWeight source(SourceModel model, String name) {
    return model.find(MLP + name + ".weight").orElseThrow();
  }

  private void writeModel() throws Exception {
    Files.writeString(temp.resolve("config.json"), "{\"model_type\": \"llama\"}");
    List<String> names =
        List.of("gate_proj", "up_proj", "down_proj", "w1", "w3", "copied", "damaged");
    List<TensorSpec> tensors =
        names.stream()
            .map(name -> TensorSpec.of(MLP + name + ".weight", DType.F32, ROWS, COLS))
            .toList();
    try (Arena arena = Arena.ofConfined();
        SafetensorsWriter writer =
            SafetensorsWriter.create(temp.resolve("model.safetensors"), tensors, new TreeMap<>())) {
      for (int t = 0; t < tensors.size(); t++) {
        MemorySegment data = arena.allocate(tensors.get(t).bytes(), 64);
        for (int i = 0; i < ROWS * COLS; i++) {
          FloatType.F32.store(data, 4L * i, value(t + 1, i));
        }
        if (names.get(t).equals("damaged")) {
          FloatType.F32.store(data, 4L * (1234 * COLS + 5), Float.NaN);
        }
        writer.write(tensors.get(t).name(), 0, data);
      }
    }
  }
}
