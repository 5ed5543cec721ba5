package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TensorOrderTest {
  @Test
  void numbersCompareByValueAndTheHeadIsLast() {
    List<String> names =
        new ArrayList<>(
            List.of(
                "model.norm.weight",
                "lm_head.weight",
                "model.layers.10.a",
                "model.layers.2.b",
                "model.layers.2.a",
                "model.embed_tokens.weight",
                "mtp.lm_head.weight",
                "model.layers.99999999999999999999999.a"));
    names.sort(TensorOrder.model());
    assertThat(names)
        .containsExactly(
            "model.embed_tokens.weight",
            "model.layers.2.a",
            "model.layers.2.b",
            "model.layers.10.a",
            "model.layers.99999999999999999999999.a",
            "model.norm.weight",
            "lm_head.weight",
            "mtp.lm_head.weight");
    names.sort(TensorOrder.natural());
    assertThat(names).startsWith("lm_head.weight");
  }

  @Test
  void differentNamesAreNeverEqualAndTheOrderIsConsistent() {
    SplittableRandom random = new SplittableRandom(6);
    Comparator<String> order = TensorOrder.model();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      StringBuilder name = new StringBuilder();
      for (int j = random.nextInt(5); j >= 0; j--) {
        name.append("0019a.".charAt(random.nextInt(6)));
      }
      names.add(name.toString());
    }
    for (String a : names) {
      for (String b : names) {
        assertThat(order.compare(a, b) == 0).isEqualTo(a.equals(b));
        assertThat(Integer.signum(order.compare(a, b)))
            .isEqualTo(-Integer.signum(order.compare(b, a)));
        for (String c : names) {
          if (order.compare(a, b) < 0 && order.compare(b, c) < 0) {
            assertThat(order.compare(a, c)).isNegative();
          }
        }
      }
    }
  }
}
