package dev.quern.formats.target.selection;

import dev.quern.formats.target.selection.KernelDecision.Mode;
import dev.quern.formats.target.selection.KernelDecision.Rejection;
import dev.quern.formats.target.selection.KernelTable.Gate;
import dev.quern.formats.target.selection.KernelTable.HazardRule;
import dev.quern.formats.target.selection.KernelTable.Kernel;
import dev.quern.formats.target.selection.KernelTable.Scheme;
import dev.quern.formats.target.selection.KernelTable.When;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Walks a {@link KernelTable} as the engine walks its code: the first scheme whose conditions hold,
 * then the first kernel of that scheme's list whose gates hold.
 */
public final class KernelSelector {
  private static final String DISABLED = "VLLM_DISABLED_KERNELS";
  private static final int MOST_RANKS = 64;

  private final KernelTable table;
  private final Target target;
  private final Serving serving;

  /**
   * A selector for a target.
   *
   * @param table what is known of the engine
   * @param target where the model runs
   * @param serving how it is served
   */
  public KernelSelector(KernelTable table, Target target, Serving serving) {
    this.table = table;
    this.target = target;
    this.serving = serving;
  }

  /** What the engine does with a layer. */
  public KernelDecision select(KernelLayer layer) {
    Facts facts = LayerFacts.of(table, target, serving, layer);
    Attempt attempt = new Attempt(layer, facts);
    for (HazardRule rule : table.refusals()) {
      if (rule.when().holds(facts)) {
        return attempt.refused(Optional.empty(), rule.hazard().code(), rule.hazard().says());
      }
    }
    if (facts.value("wrongTp").equals(true)) {
      return attempt.refused(
          Optional.empty(),
          "TP_TOO_LARGE",
          layer.parts() + " rows and " + layer.columns() + " columns cannot be dealt out to "
              + serving.tensorParallel() + " ranks");
    }
    return attempt.scheme();
  }

  /**
   * The largest power of two, 64 at most, such that the layer runs with that many ranks and every
   * smaller power of two; 0 when it does not even run on one.
   */
  public int maxTensorParallel(KernelLayer layer) {
    int most = 0;
    for (int ranks = 1; ranks <= MOST_RANKS; ranks *= 2) {
      Serving shared = serving.withTensorParallel(ranks);
      if (new KernelSelector(table, target, shared).select(layer).kernel().isEmpty()) {
        break;
      }
      most = ranks;
    }
    return most;
  }

  /** One walk, with what it has met. */
  private final class Attempt {
    private final KernelLayer layer;
    private final Facts facts;
    private final List<Rejection> rejected = new ArrayList<>();
    private final List<String> reasons = new ArrayList<>();

    Attempt(KernelLayer layer, Facts facts) {
      this.layer = layer;
      this.facts = facts;
    }

    KernelDecision scheme() {
      String domain =
          layer.role() == KernelLayer.Role.KV_CACHE
              ? "cache"
              : layer.role().isExpert() ? "experts" : "linear";
      Optional<String> nearest = Optional.empty();
      int held = 0;
      for (Scheme scheme : table.schemes(target.runtime(), domain)) {
        int failing = firstFailing(scheme);
        if (failing < 0) {
          return accepted(scheme);
        }
        if (failing > held) {
          held = failing;
          nearest = Optional.of(scheme.id() + " needs " + scheme.when().get(failing).explain(facts));
        }
      }
      return refused(
          Optional.empty(),
          "TYPE_UNSUPPORTED",
          target.runtime()
              + " has no scheme for it"
              + nearest.map(text -> "; the nearest, " + text).orElse(""));
    }

    private int firstFailing(Scheme scheme) {
      for (int i = 0; i < scheme.when().size(); i++) {
        if (!scheme.when().get(i).holds(facts)) {
          return i;
        }
      }
      return -1;
    }

    private KernelDecision accepted(Scheme scheme) {
      Optional<String> id = Optional.of(scheme.id());
      if (scheme.refuse().isPresent()) {
        return refused(id, "TYPE_UNSUPPORTED", scheme.refuse().get());
      }
      if (target.capability().isPresent()
          && target.capability().getAsInt() < scheme.minCapability()) {
        return refused(
            id,
            "CC_TOO_LOW",
            scheme.id() + " needs compute capability " + scheme.minCapability() / 10 + "."
                + scheme.minCapability() % 10);
      }
      facts.set("scheme", scheme.id());
      facts.set("code", LayerFacts.code(layer, scheme.signedCodes()));
      for (Gate gate : scheme.gates()) {
        if (!gate.condition().holds(facts)) {
          return refused(
              id, gate.code(), scheme.id() + " needs " + gate.condition().explain(facts));
        }
      }
      return kernel(scheme, candidates(scheme));
    }

    /** The list that holds here, filtered by the backend where that leaves something. */
    private List<Kernel> candidates(Scheme scheme) {
      List<Kernel> all =
          first(scheme.lists(), facts)
              .flatMap(list -> first(table.list(list), facts))
              .orElse(List.of());
      String backend =
          layer.role().isExpert() ? serving.moeBackend() : serving.linearBackend();
      if (backend.equals("auto")) {
        return all;
      }
      List<Kernel> wanted = all.stream().filter(k -> k.backends().contains(backend)).toList();
      if (wanted.isEmpty()) {
        return all;
      }
      reasons.add("FORCED_BY_FLAG");
      return wanted;
    }

    private KernelDecision kernel(Scheme scheme, List<Kernel> candidates) {
      Optional<Kernel> chosen = Optional.empty();
      List<String> fallbacks = new ArrayList<>();
      for (Kernel kernel : candidates) {
        Optional<Rejection> rejection = rejection(kernel);
        if (rejection.isEmpty() && chosen.isEmpty()) {
          chosen = Optional.of(kernel);
        } else if (rejection.isEmpty()) {
          fallbacks.add(kernel.name());
        } else if (chosen.isEmpty()) {
          rejected.add(rejection.get());
        }
      }
      Optional<String> id = Optional.of(scheme.id());
      if (chosen.isEmpty()) {
        String why =
            candidates.isEmpty()
                ? table.engine() + " has no kernel of this kind on " + target.platform()
                : "none of " + candidates.size() + " kernels takes it; "
                    + rejected.getLast().kernel() + " " + rejected.getLast().detail();
        return refused(id, "NO_KERNEL_LEFT", why);
      }
      if (rejected.isEmpty()) {
        reasons.add("FIRST_IN_ORDER");
      }
      rejected.stream().map(Rejection::code).distinct().forEach(reasons::add);
      return chosen(id, chosen.get(), fallbacks);
    }

    private Optional<Rejection> rejection(Kernel kernel) {
      String disabled = facts.text(Facts.ENVIRONMENT + DISABLED);
      List<String> names = Arrays.stream(disabled.split(",")).map(String::strip).toList();
      if (names.contains(kernel.className()) || names.contains(kernel.name())) {
        return Optional.of(
            new Rejection(kernel.name(), "DISABLED_BY_ENV", "is named by " + DISABLED));
      }
      for (Gate gate : kernel.gates()) {
        if (!gate.condition().holds(facts)) {
          return Optional.of(
              new Rejection(
                  kernel.name(), gate.code(), "needs " + gate.condition().explain(facts)));
        }
      }
      return Optional.empty();
    }

    private KernelDecision chosen(Optional<String> scheme, Kernel kernel, List<String> fallbacks) {
      Mode mode =
          switch (first(kernel.computes(), facts).orElse("quantized")) {
            case "emulated" -> Mode.EMULATED;
            case "weight-only" ->
                facts.value("iType").equals(Facts.NONE) ? Mode.NATIVE : Mode.WEIGHT_ONLY;
            default -> Mode.NATIVE;
          };
      facts.set("kernel", kernel.id());
      facts.set("mode", mode.name().toLowerCase(Locale.ROOT));
      List<Hazard> hazards = new ArrayList<>();
      for (HazardRule rule : table.hazards()) {
        if (rule.when().holds(facts)) {
          hazards.add(rule.hazard());
        }
      }
      long rows = (Long) facts.value("n");
      long columns = (Long) facts.value("k");
      long[] padded = padded(kernel, rows, columns);
      boolean decoded = kernel.dequantizedAtLoad().filter(c -> c.holds(facts)).isPresent();
      if (decoded) {
        hazards.add(
            new Hazard(
                "DEQUANTIZED_AT_LOAD",
                Hazard.Severity.PERFORMANCE,
                "weights are decoded as they are loaded: nothing of the memory is saved",
                "Publish another scheme for this target.",
                List.of(),
                Map.of()));
      } else if (padded[0] != rows || padded[1] != columns) {
        hazards.add(
            new Hazard(
                "PADDED",
                Hazard.Severity.PERFORMANCE,
                rows + " x " + columns + " is padded to " + padded[0] + " x " + padded[1],
                "",
                List.of(),
                Map.of()));
      }
      return new KernelDecision(
          scheme,
          Optional.of(kernel.id()),
          Optional.of(kernel.name()),
          mode,
          reasons,
          Optional.empty(),
          rejected,
          fallbacks,
          first(kernel.layouts(), facts),
          rows,
          columns,
          padded[0],
          padded[1],
          resident(decoded, padded, rows, columns),
          kernel.transforms().stream()
              .filter(t -> t.condition().holds(facts))
              .map(When::value)
              .toList(),
          kernel.switches(),
          hazards);
    }

    /** The checkpoint's bytes, this rank's share of them, as much more as padding adds. */
    private long resident(boolean decoded, long[] padded, long rows, long columns) {
      if (decoded) {
        return 2 * rows * columns;
      }
      double share = (double) padded[0] * padded[1] / ((double) layer.rows() * layer.columns());
      return (long) Math.rint(layer.bytes() * share);
    }

    private long[] padded(Kernel kernel, long rows, long columns) {
      long group = Math.max(1, (Long) facts.value("groupSize"));
      long[] best = {rows, columns};
      boolean strict = facts.value("gIdx").equals(true);
      if (kernel.padding().isEmpty() || strict) {
        return best;
      }
      boolean found = false;
      for (long[] multiples : kernel.padding()) {
        long n = roundUp(rows, multiples[0]);
        long k = roundUp(columns, multiples[1] / gcd(multiples[1], group) * group);
        long area = n * k;
        long bestArea = best[0] * best[1];
        if (!found || area < bestArea || area == bestArea && n + k < best[0] + best[1]) {
          best = new long[] {n, k};
          found = true;
        }
      }
      return best;
    }

    KernelDecision refused(Optional<String> scheme, String code, String why) {
      reasons.clear();
      reasons.add(code);
      long rows = facts.value("n") instanceof Long n ? n : layer.rows();
      long columns = facts.value("k") instanceof Long k ? k : layer.columns();
      return new KernelDecision(
          scheme,
          Optional.empty(),
          Optional.empty(),
          Mode.NONE,
          reasons,
          Optional.of(why),
          rejected,
          List.of(),
          Optional.empty(),
          rows,
          columns,
          rows,
          columns,
          0,
          List.of(),
          List.of(),
          List.of());
    }
  }

  private static <T> Optional<T> first(List<When<T>> choices, Facts facts) {
    return choices.stream()
        .filter(choice -> choice.condition().holds(facts))
        .map(When::value)
        .findFirst();
  }

  private static long roundUp(long value, long multiple) {
    return Math.ceilDiv(value, multiple) * multiple;
  }

  static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
