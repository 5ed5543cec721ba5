package dev.quern.formats.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Every registered layout keeps the contract. */
class LayoutsTest extends LayoutContract {
  @Override
  List<Layout> layouts() {
    return Layouts.all();
  }

  @Test
  void idsAreNamesWithVersions() {
    Set<String> ids = new HashSet<>();
    for (Layout layout : Layouts.all()) {
      assertThat(layout.id()).matches("[a-z0-9+-]+@[1-9][0-9]*");
      assertThat(ids.add(layout.id())).as(layout.id()).isTrue();
      assertThat(Layouts.named(layout.id())).containsSame(layout);
    }
    assertThat(Layouts.named("marlin")).isEmpty();
  }
}
