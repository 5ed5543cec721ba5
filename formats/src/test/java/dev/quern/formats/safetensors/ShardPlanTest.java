package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.quern.engine.numeric.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ShardPlanTest {
  private static List<TensorSpec> unit(String name, long... sizes) {
    List<TensorSpec> unit = new ArrayList<>();
    for (long size : sizes) {
      unit.add(TensorSpec.of(name + unit.size(), DType.U8, size));
    }
    return unit;
  }

  private static List<List<String>> names(ShardPlan plan) {
    return plan.shards().stream()
        .map(shard -> shard.tensors().stream().map(TensorSpec::name).toList())
        .toList();
  }

  @Test
  void oneShardHasThePlainName() {
    ShardPlan plan = ShardPlan.of(List.of(unit("a", 4), unit("b", 6)), 10);
    assertThat(plan.shards()).hasSize(1);
    assertThat(plan.shards().getFirst().fileName()).isEqualTo("model.safetensors");
    assertThat(plan.shards().getFirst().bytes()).isEqualTo(10);
  }

  @Test
  void noTensorsStillMakeAFile() {
    assertThat(ShardPlan.of(List.of(), 10).shards())
        .containsExactly(new ShardPlan.Shard("model.safetensors", List.of()));
  }

  @Test
  void unitsStayTogether() {
    ShardPlan plan = ShardPlan.of(List.of(unit("a", 4, 2), unit("b", 3, 2), unit("c", 5)), 10);
    assertThat(names(plan)).containsExactly(List.of("a0", "a1"), List.of("b0", "b1", "c0"));
    assertThat(plan.shards())
        .extracting(ShardPlan.Shard::fileName)
        .containsExactly("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
  }

  @Test
  void aUnitOverTheLimitIsAloneAndTheCurrentShardStaysOpen() {
    ShardPlan plan = ShardPlan.of(List.of(unit("a", 4), unit("big", 9, 9), unit("b", 6)), 10);
    assertThat(names(plan)).containsExactly(List.of("big0", "big1"), List.of("a0", "b0"));
  }

  @Test
  void aUnitOfExactlyTheLimitIsNotOverIt() {
    ShardPlan plan = ShardPlan.of(List.of(unit("a", 4), unit("b", 10), unit("c", 6)), 10);
    assertThat(names(plan)).containsExactly(List.of("a0"), List.of("b0"), List.of("c0"));
  }

  @Test
  void everyTensorIsInExactlyOneShard() {
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 300; round++) {
      List<List<TensorSpec>> units = new ArrayList<>();
      for (int i = random.nextInt(20); i > 0; i--) {
        units.add(unit("u" + i + ".", random.longs(random.nextInt(4), 0, 40).toArray()));
      }
      long limit = 1 + random.nextInt(100);
      ShardPlan plan = ShardPlan.of(units, limit);
      assertThat(plan.shards().stream().flatMap(shard -> shard.tensors().stream()).toList())
          .containsExactlyInAnyOrderElementsOf(units.stream().flatMap(List::stream).toList());
      for (ShardPlan.Shard shard : plan.shards()) {
        assertThat(shard.bytes() <= limit || units.contains(shard.tensors())).isTrue();
      }
    }
  }

  @Test
  void refusesAShardSizeOfNothing() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ShardPlan.of(List.of(), 0))
        .withMessageContaining("must be positive: 0");
  }
}
