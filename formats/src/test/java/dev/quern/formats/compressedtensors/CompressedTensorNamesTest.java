package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Cases that the reference checkpoints do not have. */
final class CompressedTensorNamesTest {
  private static final QuantizationArgs INT8 = QuantizationArgs.builder().build();

  @Test
  void groupsMustDivideTheColumns() {
    assertThatThrownBy(() -> names(172, 200, preset("W4A16")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("m: the weight [172, 200] has 200 columns")
        .hasMessageContaining("groups of 128 do not divide")
        .hasMessageContaining("Use a scheme by channel such as FP8_DYNAMIC or W8A8")
        .hasMessageContaining("or add the module to ignore");
    assertThatThrownBy(() -> names(64, 40, preset("NVFP4A16")))
        .hasMessageContaining("groups of 16 do not divide");
  }

  @Test
  void blocksMayBeCutOff() {
    assertThat(names(129, 300, preset("FP8_BLOCK")))
        .contains(TensorSpec.of("m.weight_scale", DType.BF16, 2, 3));
  }

  @Test
  void valuesStraddleWords() {
    QuantizationArgs args =
        QuantizationArgs.builder().numBits(3).groupSize(11).symmetric(false).build();
    assertThat(names(7, 33, weightOnly(args)))
        .containsExactly(
            TensorSpec.of("m.weight_packed", DType.I32, 7, 4),
            TensorSpec.of("m.weight_scale", DType.BF16, 7, 3),
            TensorSpec.of("m.weight_zero_point", DType.I32, 1, 3),
            TensorSpec.of("m.weight_shape", DType.I64, 2));
  }

  @Test
  void aTensorsOneZeroPointIsNotPacked() {
    QuantizationArgs args = QuantizationArgs.builder().numBits(4).symmetric(false).build();
    assertThat(names(8, 8, weightOnly(args)))
        .contains(TensorSpec.of("m.weight_zero_point", DType.I8, 1));
  }

  @Test
  void asymmetricIntegersWithStaticInputs() {
    QuantizationArgs asymmetric = INT8.toBuilder().symmetric(false).build();
    QuantizationArgs channel = QuantizationArgs.builder().groupSize(-1).symmetric(false).build();
    QuantizationScheme scheme =
        QuantizationScheme.of(List.of("Linear"), Optional.of(channel), Optional.of(asymmetric));
    assertThat(names(8, 24, scheme))
        .containsExactly(
            TensorSpec.of("m.weight", DType.I8, 8, 24),
            TensorSpec.of("m.weight_scale", DType.BF16, 8, 1),
            TensorSpec.of("m.weight_zero_point", DType.I8, 8, 1),
            TensorSpec.of("m.input_scale", DType.BF16, 1),
            TensorSpec.of("m.input_zero_point", DType.I8, 1));
  }

  @Test
  void denseKeepsTheWeightAndEveryParameter() {
    assertThat(names(8, 128, preset("W4A16").withFormat(CompressionFormat.DENSE)))
        .containsExactly(
            TensorSpec.of("m.weight", DType.BF16, 8, 128),
            TensorSpec.of("m.weight_scale", DType.BF16, 8, 1),
            TensorSpec.of("m.weight_zero_point", DType.I8, 8, 1));
    assertThat(names(8, 128, preset("UNQUANTIZED")))
        .containsExactly(TensorSpec.of("m.weight", DType.BF16, 8, 128));
  }

  @Test
  void weightOnlyFloatsAndWideIntegersAreNaive() {
    QuantizationArgs fp8 = PresetSchemes.named("FP8").weights().orElseThrow();
    assertThat(names(8, 8, weightOnly(fp8)))
        .containsExactly(
            TensorSpec.of("m.weight", DType.F8_E4M3, 8, 8),
            TensorSpec.of("m.weight_scale", DType.BF16, 1));
    assertThat(names(8, 8, weightOnly(INT8.toBuilder().numBits(12).build())))
        .contains(TensorSpec.of("m.weight", DType.I16, 8, 8));
  }

  @Test
  void aFormatRefusesNumbersThatItCannotHold() {
    assertThatThrownBy(
            () -> names(8, 128, preset("FP8").withFormat(CompressionFormat.PACK_QUANTIZED)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("format pack-quantized holds integers of 1 to 8 bits")
        .hasMessageContaining("asks for 8-bit floats");
    assertThatThrownBy(
            () -> names(8, 128, preset("W8A8").withFormat(CompressionFormat.FLOAT_QUANTIZED)))
        .hasMessageContaining("format float-quantized holds 8-bit floats");
    assertThatThrownBy(
            () -> names(8, 128, preset("W4A16").withFormat(CompressionFormat.MXFP4_PACK_QUANTIZED)))
        .hasMessageContaining("holds 4-bit floats");
    assertThatThrownBy(
            () -> names(8, 128, preset("NVFP4").withFormat(CompressionFormat.NAIVE_QUANTIZED)))
        .hasMessageContaining("holds 8-bit floats");
  }

  @Test
  void strategiesOfActivationsAreNotForWeights() {
    QuantizationArgs token = PresetSchemes.named("W8A8").inputActivations().orElseThrow();
    assertThatThrownBy(() -> names(8, 8, weightOnly(token)))
        .hasMessageContaining("strategy token cannot quantize a weight");
    QuantizationArgs group = QuantizationArgs.builder().groupSize(8).build();
    QuantizationScheme scheme =
        QuantizationScheme.of(List.of("Linear"), Optional.of(INT8), Optional.of(group));
    assertThatThrownBy(() -> names(8, 8, scheme))
        .hasMessageContaining("m: input_activations: stored scales by group");
  }

  @Test
  void oddColumnsCannotShareBytes() {
    QuantizationArgs fp4 =
        QuantizationArgs.builder().type(QuantizationType.FLOAT).numBits(4).build();
    QuantizationScheme scheme = weightOnly(fp4).withFormat(CompressionFormat.NVFP4_PACK_QUANTIZED);
    assertThatThrownBy(() -> names(8, 7, scheme)).hasMessageContaining("has 7 columns");
  }

  @Test
  void cachedKeysAndValues() {
    QuantizationArgs heads = INT8.toBuilder().strategy(QuantizationStrategy.ATTN_HEAD).build();
    assertThat(CompressedTensorNames.keyValueCache("a", heads, 4, DType.F16))
        .containsExactly(
            TensorSpec.of("a.k_scale", DType.F16, 4, 1, 1),
            TensorSpec.of("a.v_scale", DType.F16, 4, 1, 1));
    assertThat(
            CompressedTensorNames.keyValueCache(
                "a", INT8.toBuilder().symmetric(false).build(), 4, DType.F16))
        .extracting(TensorSpec::name)
        .containsExactly("a.k_scale", "a.k_zero_point", "a.v_scale", "a.v_zero_point");
    assertThat(
            CompressedTensorNames.keyValueCache(
                "a", INT8.toBuilder().dynamic(DynamicType.TRUE).build(), 4, DType.F16))
        .isEmpty();
  }

  private static List<TensorSpec> names(long rows, long columns, QuantizationScheme scheme) {
    return CompressedTensorNames.of("m", rows, columns, scheme, DType.BF16);
  }

  private static QuantizationScheme preset(String name) {
    return PresetSchemes.named(name).scheme(List.of("Linear"));
  }

  private static QuantizationScheme weightOnly(QuantizationArgs weights) {
    return QuantizationScheme.of(List.of("Linear"), Optional.of(weights), Optional.empty());
  }
}
