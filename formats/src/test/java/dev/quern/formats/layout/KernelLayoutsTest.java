package dev.quern.formats.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Kernels' layouts on modules of every kind: what they take, and that nothing is lost. */
class KernelLayoutsTest {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** A module with its data. */
  private record Sample(QuantizedMatrix module, Map<String, MemorySegment> data) {}

  @Test
  void whatIsRestoredEqualsTheInputAndTheRestStays() {
    SplittableRandom random = new SplittableRandom(5);
    Map<String, Integer> plans = new TreeMap<>();
    for (QuantizedMatrix module : modules()) {
      Sample sample = new Sample(module, data(module, random));
      for (KernelLayout layout : KernelLayouts.all()) {
        List<PackedTensor> plan;
        try {
          plan = layout.plan(module);
        } catch (LayoutException e) {
          assertThat(e).hasMessageMatching("expected .+, found .+");
          continue;
        }
        plans.merge(layout.id(), 1, Integer::sum);
        Sample fit = sample;
        try {
          layout.requireData(module, sample.data()::get);
        } catch (LayoutException e) {
          assertThat(e).hasMessageMatching("expected .+, found .+");
          fit = new Sample(module, niceData(module, sample.data()));
          layout.requireData(module, fit.data()::get);
        }
        checkRoundTrip(layout.id() + " of " + module, fit, plan);
      }
    }
    assertThat(plans.keySet())
        .containsExactlyInAnyOrderElementsOf(
            KernelLayouts.all().stream().map(KernelLayout::id).toList());
    assertThat(plans).allSatisfy((id, count) -> assertThat(count).as(id).isGreaterThan(1));
  }

  private static void checkRoundTrip(String what, Sample sample, List<PackedTensor> plan) {
    Map<String, MemorySegment> packed = new HashMap<>();
    Set<String> restored = new HashSet<>();
    for (PackedTensor tensor : plan) {
      MemorySegment target = MemorySegment.ofArray(new byte[(int) tensor.type().bytes()]);
      tensor.pack(sample.data()::get, target);
      assertThat(packed.put(tensor.name(), target)).as(what).isNull();
      tensor
          .source()
          .ifPresent(source -> assertThat(sample.module().tensors()).containsKey(source));
      if (tensor.restores()) {
        assertThat(restored.add(tensor.source().orElseThrow())).as(what).isTrue();
      }
    }
    for (String name : sample.module().tensors().keySet()) {
      // What is not restored is carried under its own name, which must be free.
      assertThat(restored.contains(name) || !packed.containsKey(name)).as(what + name).isTrue();
    }
    for (PackedTensor tensor : plan) {
      if (tensor.restores()) {
        String source = tensor.source().orElseThrow();
        MemorySegment original = sample.data().get(source);
        MemorySegment back = MemorySegment.ofArray(new byte[(int) original.byteSize()]);
        back.fill((byte) 0x55);
        tensor.unpack(packed::get, back);
        assertThat(back.mismatch(original)).as(what + ", " + source).isEqualTo(-1);
      }
    }
  }

  /** The same, 2:4 with zeros of both signs, no NaN, and scales that are powers of two. */
  private static Map<String, MemorySegment> niceData(
      QuantizedMatrix module, Map<String, MemorySegment> data) {
    Map<String, MemorySegment> nice = new HashMap<>(data);
    MemorySegment weight = copy(data.get(module.weight()));
    nice.put(module.weight(), weight);
    for (long n = 0; n < module.n(); n++) {
      for (long k = 0; k < module.k(); k++) {
        long code = n * (weight.byteSize() / module.n()) * 8 + k * module.bits();
        boolean dropped = (k % 4 == n % 4) || k % 4 == (n + 1 + k / 4 % 3) % 4;
        setZero(module, weight, code, dropped, k % 8 < 4);
      }
    }
    MemorySegment scales = data.get("weight_scale");
    if (scales != null && module.codes() == Codes.E4M3 && module.blockColumns() != 32) {
      scales = copy(scales);
      nice.put("weight_scale", scales);
      for (long at = 0; at < scales.byteSize(); at += 4) {
        scales.set(FLOAT, at, Math.scalb(1f, (int) (at % 17) - 8));
      }
    }
    return nice;
  }

  private static MemorySegment copy(MemorySegment segment) {
    return MemorySegment.ofArray(segment.toArray(ValueLayout.JAVA_BYTE));
  }

  private static void setZero(
      QuantizedMatrix module, MemorySegment weight, long bit, boolean dropped, boolean negative) {
    long at = bit / 8;
    int octet = weight.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
    switch (module.codes()) {
      case PACKED_INT -> {
        int mask = (1 << module.bits()) - 1 << bit % 8;
        int zero = 1 << module.bits() - 1 << bit % 8;
        octet = dropped && module.bits() != 3 ? octet & ~mask | zero : octet;
      }
      case E4M3 -> octet = dropped ? negative ? 0x80 : 0 : (octet & 0x7F) == 0x7F ? 1 : octet;
      case INT8 -> octet = dropped ? 0 : octet;
      case FLOAT16 -> {
        if (dropped) {
          weight.set(SHORT, at, negative ? Short.MIN_VALUE : 0);
        }
        return;
      }
      default -> {}
    }
    weight.set(ValueLayout.JAVA_BYTE, at, (byte) octet);
  }

  private static List<QuantizedMatrix> modules() {
    List<QuantizedMatrix> modules = new ArrayList<>();
    for (long[] size :
        new long[][] {{64, 128}, {128, 256}, {96, 384}, {72, 200}, {320, 64}, {256, 128}}) {
      for (int bits : new int[] {2, 3, 4, 8}) {
        for (long group : new long[] {size[1], 32, 128}) {
          for (int kind = 0; kind < 3; kind++) {
            if (size[1] % group == 0 && (kind != 1 || bits != 3)) {
              modules.add(ints(size[0], size[1], bits, group, kind == 1, kind == 2));
            }
          }
        }
      }
      modules.add(int8(size[0], size[1]));
      modules.add(int8(2 * size[0], size[1]));
      for (DType dtype : List.of(DType.BF16, DType.F16)) {
        modules.add(plain(size[0], size[1], dtype));
        modules.add(inF16(ints(size[0], size[1], 4, size[1], false, false)));
        modules.add(inF16(ints(size[0], size[1], 8, size[1], false, false)));
        modules.add(fp8(size[0], size[1], size[0], size[1], dtype));
        modules.add(fp8(size[0], size[1], 1, size[1], dtype));
        modules.add(fp8(size[0], size[1], 128, 128, dtype));
        if (size[1] % 16 == 0) {
          modules.add(nvfp4(size[0], size[1], dtype));
        }
      }
      if (size[1] % 32 == 0) {
        modules.add(mx(Codes.E2M1, size[0], size[1]));
        modules.add(mx(Codes.E4M3, size[0], size[1]));
      }
    }
    return modules;
  }

  private static QuantizedMatrix ints(
      long n, long k, int bits, long group, boolean zeros, boolean order) {
    Map<String, TensorType> tensors = new TreeMap<>();
    tensors.put("weight_packed", TensorType.of(DType.I32, n, Math.ceilDiv(k * bits, 32)));
    tensors.put("weight_scale", TensorType.of(DType.BF16, n, k / group));
    tensors.put("weight_shape", TensorType.of(DType.I64, 2));
    if (zeros) {
      long words = Math.ceilDiv(n * bits, 32);
      tensors.put("weight_zero_point", TensorType.of(DType.I32, words, k / group));
      tensors.put("bias", TensorType.of(DType.BF16, n));
    }
    if (order) {
      tensors.put("weight_g_idx", TensorType.of(DType.I32, k));
    }
    return new QuantizedMatrix(Codes.PACKED_INT, bits, n, k, 1, group, DType.BF16, tensors);
  }

  private static QuantizedMatrix inF16(QuantizedMatrix module) {
    Map<String, TensorType> tensors = new TreeMap<>(module.tensors());
    tensors.replace(
        "weight_scale", new TensorType(DType.F16, module.tensors().get("weight_scale").shape()));
    return new QuantizedMatrix(
        module.codes(),
        module.bits(),
        module.n(),
        module.k(),
        module.blockRows(),
        module.blockColumns(),
        DType.F16,
        tensors);
  }

  private static QuantizedMatrix int8(long n, long k) {
    Map<String, TensorType> tensors =
        Map.of(
            "weight",
            TensorType.of(DType.I8, n, k),
            "weight_scale",
            TensorType.of(DType.BF16, n, 1));
    return new QuantizedMatrix(Codes.INT8, 8, n, k, 1, k, DType.BF16, tensors);
  }

  private static QuantizedMatrix plain(long n, long k, DType dtype) {
    return new QuantizedMatrix(
        Codes.FLOAT16, 16, n, k, 1, k, dtype, Map.of("weight", TensorType.of(dtype, n, k)));
  }

  private static QuantizedMatrix fp8(long n, long k, long rows, long columns, DType dtype) {
    TensorType scale =
        rows == n && columns == k
            ? TensorType.of(DType.F32, 1)
            : TensorType.of(DType.F32, Math.ceilDiv(n, rows), Math.ceilDiv(k, columns));
    Map<String, TensorType> tensors =
        Map.of("weight", TensorType.of(DType.F8_E4M3, n, k), "weight_scale", scale);
    return new QuantizedMatrix(Codes.E4M3, 8, n, k, rows, columns, dtype, tensors);
  }

  private static QuantizedMatrix nvfp4(long n, long k, DType dtype) {
    Map<String, TensorType> tensors =
        Map.of(
            "weight_packed", TensorType.of(DType.U8, n, k / 2),
            "weight_scale", TensorType.of(DType.F8_E4M3, n, k / 16),
            "weight_global_scale", TensorType.of(DType.F32, 1));
    return new QuantizedMatrix(Codes.E2M1, 4, n, k, 1, 16, dtype, tensors);
  }

  private static QuantizedMatrix mx(Codes codes, long n, long k) {
    int bits = codes == Codes.E2M1 ? 4 : 8;
    TensorType weight =
        bits == 4 ? TensorType.of(DType.U8, n, k / 2) : TensorType.of(DType.F8_E4M3, n, k);
    Map<String, TensorType> tensors =
        Map.of(
            bits == 4 ? "weight_packed" : "weight",
            weight,
            "weight_scale",
            TensorType.of(DType.U8, n, k / 32));
    return new QuantizedMatrix(codes, bits, n, k, 1, 32, DType.BF16, tensors);
  }

  /** Random codes and plausible scales; the bits behind the last code of a row are zero. */
  private static Map<String, MemorySegment> data(QuantizedMatrix module, SplittableRandom random) {
    Map<String, MemorySegment> data = new HashMap<>();
    module
        .tensors()
        .forEach(
            (name, type) -> {
              MemorySegment segment = MemorySegment.ofArray(new byte[(int) type.bytes()]);
              LayoutContract.fill(segment, random);
              data.put(name, segment);
              if (type.dtype() == DType.F32) {
                for (long at = 0; at < segment.byteSize(); at += 4) {
                  segment.set(FLOAT, at, (float) (0.01 + random.nextDouble()));
                }
              }
              if (name.equals("weight_packed")) {
                clearTails(segment, type.last() * type.dtype().bits(), module.k() * module.bits());
              }
              if (name.equals("weight_zero_point")) {
                clearTails(
                    segment,
                    segment.byteSize() * 8,
                    segment.byteSize() * 8 - tailOfZeros(module) * module.groups());
              }
              if (name.equals("weight_g_idx")) {
                for (int k = 0; k < module.k(); k++) {
                  segment.set(INT, 4L * k, random.nextInt((int) module.groups()));
                }
              }
            });
    return data;
  }

  /** Bits of the last words of zero points, one for each group, that hold none. */
  private static long tailOfZeros(QuantizedMatrix module) {
    long bits = module.n() * module.bits();
    return Math.ceilDiv(bits, 32) * 32 - bits;
  }

  private static void clearTails(MemorySegment segment, long rowBits, long used) {
    for (long bit = 0; bit < segment.byteSize() * 8; bit++) {
      if (bit % rowBits >= used) {
        int kept = segment.get(ValueLayout.JAVA_BYTE, bit / 8) & ~(1 << bit % 8);
        segment.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) kept);
      }
    }
  }

  @Test
  void wordsNameFamilies() {
    assertThat(KernelLayouts.matching("marlin"))
        .extracting(KernelLayout::id)
        .startsWith("marlin-i4-a16@1", "marlin-i8-a16@1")
        .contains("marlin-nvfp4-bf16@1");
    assertThat(KernelLayouts.matching("gptq-v2")).hasSize(1);
    assertThat(KernelLayouts.matching("gptq-v2@1")).hasSize(1);
    assertThat(KernelLayouts.matching("gptq-v3")).isEmpty();
    assertThat(KernelLayouts.named("allspark-i8@1")).isPresent();
  }

  @Test
  void marlinPadsToTheFewestWeights() {
    assertThat(MarlinPadding.of(64, 128, 1)).isEqualTo(new MarlinPadding(64, 128));
    assertThat(MarlinPadding.of(128, 64, 1)).isEqualTo(new MarlinPadding(128, 64));
    assertThat(MarlinPadding.of(65, 65, 1)).isEqualTo(new MarlinPadding(128, 128));
    assertThat(MarlinPadding.of(72, 200, 1)).isEqualTo(new MarlinPadding(128, 256));
    assertThat(MarlinPadding.of(64, 160, 32)).isEqualTo(new MarlinPadding(64, 256));
  }

  /** 448 becomes the largest byte, subnormal scales vanish, and sf lifts small ones for BF16. */
  @Test
  void marlinScalesOfNvfp4() {
    assertThat(nvfp4Scale(DType.F16, 0x7E)).isEqualTo(0xF6); // 448 * 128 = 1.75 * 2^15
    assertThat(nvfp4Scale(DType.F16, 0x38)).isEqualTo(0xB0); // 1 * 128 = 2^7
    assertThat(nvfp4Scale(DType.F16, 0x08)).isEqualTo(0x80); // 2^-6 * 128 = 2
    assertThat(nvfp4Scale(DType.F16, 0x07)).isEqualTo(0); // 7/8 * 2^-6: flushed
    // Alone, 2^-6 * 7/8 is the largest, and sf = 2^15.
    assertThat(nvfp4Scale(DType.BF16, 0x07)).isEqualTo(0xF6);
    assertThat(nvfp4Scale(DType.BF16, 0x7E)).isEqualTo(0xF6);
  }

  private static int nvfp4Scale(DType dtype, int code) {
    QuantizedMatrix module = nvfp4(64, 128, dtype);
    Map<String, MemorySegment> data = data(module, new SplittableRandom(1));
    data.get("weight_scale").fill((byte) 0);
    data.get("weight_scale").set(ValueLayout.JAVA_BYTE, 0, (byte) code);
    KernelLayout layout =
        KernelLayouts.named(dtype == DType.F16 ? "marlin-nvfp4-fp16@1" : "marlin-nvfp4-bf16@1")
            .orElseThrow();
    PackedTensor scales =
        layout.plan(module).stream()
            .filter(t -> t.name().equals("weight_scale_marlin"))
            .findFirst()
            .orElseThrow();
    MemorySegment target = MemorySegment.ofArray(new byte[(int) scales.type().bytes()]);
    scales.pack(data::get, target);
    return target.get(ValueLayout.JAVA_BYTE, 0) & 0xFF;
  }

  /** A block's scale serves its 128 outputs, rounded to BF16 and times 2^120. */
  @Test
  void marlinScalesOfFp8Blocks() {
    QuantizedMatrix module = fp8(256, 256, 128, 128, DType.BF16);
    Map<String, MemorySegment> data = data(module, new SplittableRandom(2));
    float[] scales = {1f, 0.3f, 2f, 3f}; // block (n/128, k/128)
    MemorySegment.copy(scales, 0, data.get("weight_scale"), FLOAT, 0, 4);
    PackedTensor made = KernelLayouts.named("marlin-fp8-bf16@1").orElseThrow().plan(module).get(1);
    assertThat(made.type()).isEqualTo(TensorType.of(DType.BF16, 2, 256));
    MemorySegment target = MemorySegment.ofArray(new byte[(int) made.type().bytes()]);
    made.pack(data::get, target);
    // 1 is 0x3F80, 0.3 is 0x3E9A in BF16; 120 more in the exponent.
    assertThat(target.get(SHORT, 0)).isEqualTo((short) (0x3F80 + (120 << 7)));
    assertThat(target.get(SHORT, 2 * 128)).isEqualTo((short) (0x4000 + (120 << 7)));
    assertThat(target.get(SHORT, 2 * 256)).isEqualTo((short) (0x3E9A + (120 << 7)));
    assertThat(made.restores()).isFalse();
    assertThatThrownBy(() -> made.unpack(data::get, target))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void refusalsSayWhatIsNeeded() {
    String[][] refusals = {
      {"marlin-i4-a16@1", "groups of 32, 64 or 128", "groups of 16"},
      {"marlin-i8-a16@1", "integers of 8 bits", "PACKED_INT of 4 bits"},
      {"marlin-fp8-bf16@1", "FP8 weights", "PACKED_INT of 4 bits"},
      {"marlin-mx4@1", "E2M1 codes with a scale for 32", "for 16"},
      {"allspark-i8@1", "integers of 8 bits", "4 bits"},
      {"gptq-v2@1", "N to be a multiple of 32", "72"},
      {"exllama2-i4@1", "N to be a multiple of 32", "72"},
    };
    for (String[] refusal : refusals) {
      assertThatThrownBy(() -> plan(refusal[0], ints(72, 64, 4, 16, false, false)))
          .isInstanceOf(LayoutException.class)
          .hasMessageContaining(refusal[1])
          .hasMessageContaining(refusal[2]);
    }
    assertThatThrownBy(() -> plan("marlin-i8-a16@1", ints(64, 128, 8, 128, true, false)))
        .hasMessage("expected symmetric codes, found zero points");
    assertThatThrownBy(() -> plan("marlin-i4-a16@1", ints(72, 128, 4, 32, false, true)))
        .hasMessage("expected with act-order, N and K that need no padding, found 72 x 128");
    assertThatThrownBy(() -> plan("awq-gemm@1", ints(64, 128, 4, 32, false, true)))
        .hasMessageContaining("weight_g_idx");
  }

  /** What kernels for one generation refuse, each with its reason. */
  @Test
  void refusesShapesAndSchemesOfOtherKernels() {
    Map<String, QuantizedMatrix> wrong = new TreeMap<>();
    wrong.put("machete-i4@1: N to be a multiple of 128", ints(72, 128, 4, 128, false, false));
    wrong.put("machete-i8@1: groups of 64 or 128", ints(128, 128, 8, 32, false, false));
    wrong.put("cutlass-w4a8@1: groups of 128", ints(128, 128, 4, 32, false, false));
    wrong.put("cutlass-w4a8@1: symmetric", ints(128, 128, 4, 128, true, false));
    wrong.put("marlin24-i4@1: scales in F16", ints(128, 128, 4, 128, false, false));
    wrong.put("marlin24-i8@1: K to be a multiple", inF16(ints(128, 64, 8, 64, false, false)));
    wrong.put("sm80-24-i8@1: K to be a multiple of 128", int8(64, 192));
    wrong.put("sm80-24-16@1: N to be a multiple of 32", plain(72, 128, DType.BF16));
    wrong.put("sm90-24-fp8@1: E4M3 weights", int8(64, 128));
    wrong.put("sf-128x4-nvfp4@1: NVFP4 weights", mx(Codes.E2M1, 64, 128));
    wrong.put("sf-128x4-mx8@1: at least 128 outputs", mx(Codes.E4M3, 64, 128));
    wrong.put("trtllm-fp8@1: one scale", fp8(64, 128, 1, 128, DType.BF16));
    wrong.put("trtllm-fp8-block@1: N to be a multiple of 64", fp8(72, 128, 128, 128, DType.BF16));
    wrong.put("deepgemm-sm100@1: 128 x 128", fp8(64, 128, 64, 128, DType.BF16));
    wrong.put("deepgemm-sm90@1: K to be a multiple of 128", fp8(64, 200, 128, 128, DType.BF16));
    wrong.put("aiter-fp8@1: by channel", fp8(128, 256, 128, 128, DType.BF16));
    wrong.put("aiter-mx4@1: N to be a multiple of 16", mx(Codes.E2M1, 72, 64));
    wrong.put("fnuz-fp8@1: FP8 weights", int8(64, 128));
    wrong.put("cpu-wna16-i4@1: symmetric", ints(64, 128, 4, 128, true, false));
    wrong.put("cpu-amx-i8@1: a byte each", ints(64, 128, 8, 128, false, false));
    wrong.put("cpu-amx-fp8@1: K to be a multiple of 32", fp8(64, 200, 1, 200, DType.BF16));
    wrong.forEach(
        (refusal, module) ->
            assertThatThrownBy(() -> plan(refusal.substring(0, refusal.indexOf(':')), module))
                .as(refusal)
                .isInstanceOf(LayoutException.class)
                .hasMessageContaining(refusal.substring(refusal.indexOf(':') + 2)));
  }

  /** Numbers that a kernel cannot take are found before anything is packed. */
  @Test
  void refusesDataThatKernelsCannotTake() {
    SplittableRandom random = new SplittableRandom(3);
    QuantizedMatrix dense = int8(64, 128);
    assertThatThrownBy(() -> requireData("sm90-24-i8@1", dense, data(dense, random)))
        .isInstanceOf(LayoutException.class)
        .hasMessageMatching("expected at most two of each four .+ in row 0, columns 0 to 3");
    QuantizedMatrix blocks = fp8(64, 128, 128, 128, DType.BF16);
    Map<String, MemorySegment> data = data(blocks, random);
    data.get("weight_scale").set(FLOAT, 0, 0.3f);
    assertThatThrownBy(() -> requireData("deepgemm-sm100@1", blocks, data))
        .hasMessageContaining("powers of two, found 0.3");
    data.get("weight").fill((byte) 0).set(ValueLayout.JAVA_BYTE, 130, (byte) 0xFF);
    assertThatThrownBy(() -> requireData("fnuz-fp8@1", blocks, data))
        .hasMessageContaining("NaN at row 1, column 2");
    data.get("weight").fill((byte) 0);
    data.get("weight_scale").set(FLOAT, 0, 3e38f);
    assertThatThrownBy(() -> requireData("fnuz-fp8@1", blocks, data))
        .hasMessageContaining("scales that can be doubled");
  }

  private static void requireData(
      String id, QuantizedMatrix module, Map<String, MemorySegment> data) {
    KernelLayouts.named(id).orElseThrow().requireData(module, data::get);
  }

  /** The kernel adds {@code -s * z} to {@code s * code}. */
  @Test
  void macheteZeroPoints() {
    QuantizedMatrix module = ints(128, 128, 4, 128, true, false);
    Map<String, MemorySegment> data = data(module, new SplittableRandom(4));
    data.get("weight_scale").set(SHORT, 2 * 9, (short) 0x3FC0); // output 9: 1.5
    data.get("weight_zero_point").set(ValueLayout.JAVA_BYTE, 4, (byte) 0x50); // and 5
    PackedTensor zeros = plan("machete-i4@1", module).get(2);
    MemorySegment target = MemorySegment.ofArray(new byte[(int) zeros.type().bytes()]);
    zeros.pack(data::get, target);
    assertThat(zeros.type()).isEqualTo(TensorType.of(DType.BF16, 1, 128));
    assertThat(target.get(SHORT, 2 * 9)).isEqualTo((short) 0xC0F0); // -7.5
  }

  /** A block's exponent stands in the byte of each of its rows. */
  @Test
  void deepGemmExponents() {
    QuantizedMatrix module = fp8(256, 256, 128, 128, DType.BF16);
    Map<String, MemorySegment> data = data(module, new SplittableRandom(4));
    MemorySegment.copy(new float[] {1, 2, 4, 0.5f}, 0, data.get("weight_scale"), FLOAT, 0, 4);
    PackedTensor made = plan("deepgemm-sm100@1", module).getFirst();
    assertThat(made.type()).isEqualTo(TensorType.of(DType.I32, 1, 256));
    MemorySegment target = MemorySegment.ofArray(new byte[(int) made.type().bytes()]);
    made.pack(data::get, target);
    assertThat(target.get(INT, 0)).isEqualTo(0x0000807F);
    assertThat(target.get(INT, 4 * 127)).isEqualTo(0x0000807F);
    assertThat(target.get(INT, 4 * 128)).isEqualTo(0x00007E81);
  }

  /** Sums of AMX's blocks stand behind the codes. */
  @Test
  void amxSums() {
    QuantizedMatrix module = int8(64, 32);
    Map<String, MemorySegment> data = data(module, new SplittableRandom(4));
    data.get("weight").asSlice(32 * 33, 32).fill((byte) -3); // output 33
    PackedTensor made = plan("cpu-amx-i8@1", module).getFirst();
    assertThat(made.type()).isEqualTo(TensorType.of(DType.I8, 2, 32 * 32 + 128));
    MemorySegment target = MemorySegment.ofArray(new byte[(int) made.type().bytes()]);
    made.pack(data::get, target);
    assertThat(target.get(INT, 2 * 32 * 32 + 128 + 4)).isEqualTo(128 * 32 * -3);
  }

  private static List<PackedTensor> plan(String id, QuantizedMatrix module) {
    return KernelLayouts.named(id).orElseThrow().plan(module);
  }
}
