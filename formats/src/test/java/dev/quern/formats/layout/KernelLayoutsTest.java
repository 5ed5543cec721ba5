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
        checkRoundTrip(layout.id() + " of " + module, sample, plan);
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
    assertThat(restored).as(what).contains(sample.module().weight());
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

  private static List<QuantizedMatrix> modules() {
    List<QuantizedMatrix> modules = new ArrayList<>();
    for (long[] size : new long[][] {{64, 128}, {128, 256}, {96, 384}, {72, 200}, {320, 64}}) {
      for (int bits : new int[] {2, 3, 4, 8}) {
        for (long group : new long[] {size[1], 32, 128}) {
          for (int kind = 0; kind < 3; kind++) {
            if (size[1] % group == 0 && (kind != 1 || bits != 3)) {
              modules.add(ints(size[0], size[1], bits, group, kind == 1, kind == 2));
            }
          }
        }
      }
      for (DType dtype : List.of(DType.BF16, DType.F16)) {
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

  private static List<PackedTensor> plan(String id, QuantizedMatrix module) {
    return KernelLayouts.named(id).orElseThrow().plan(module);
  }
}
