package dev.quern.formats.target.selection;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is known of one version of an engine: targets, schemes, kernels in its order with their
 * gates, hazards. {@code docs/kernel-selection.md} describes the document.
 */
public final class KernelTable {
  /** A condition, with the word for its failing. */
  record Gate(Condition condition, String code) {}

  /** Something, when a condition holds. */
  record When<T>(Condition condition, T value) {}

  /** A scheme of the engine: {@code refuse} instead of {@code lists} when it has no way. */
  record Scheme(
      String id,
      int minCapability,
      List<Condition> when,
      List<When<String>> lists,
      Optional<String> refuse,
      boolean signedCodes,
      List<Gate> gates) {}

  /** A kernel; {@code computes} is {@code quantized}, {@code weight-only} or {@code emulated}. */
  record Kernel(
      String id,
      String name,
      String className,
      List<When<String>> computes,
      Set<String> backends,
      List<Gate> gates,
      List<long[]> padding,
      List<When<String>> layouts,
      List<When<KernelDecision.Transform>> transforms,
      List<KernelDecision.Switch> switches,
      Optional<Condition> dequantizedAtLoad) {}

  /** A hazard, when a condition holds. */
  record HazardRule(Condition when, Hazard hazard) {}

  private static final String RESOURCE = "vllm-2026-08-17.json";
  private static final String REMEDY =
      "Correct the kernel table, or leave --table out for the built-in one.";

  private final String engine;
  private final String version;
  private final String commit;
  private final String sha256;
  private final Map<String, Target> targets = new LinkedHashMap<>();
  private final Map<String, String> targetOfAlias = new HashMap<>();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final Map<String, List<Scheme>> schemes = new HashMap<>();
  private final Map<String, List<When<List<Kernel>>>> lists = new HashMap<>();
  private final List<HazardRule> refusals = new ArrayList<>();
  private final List<HazardRule> hazards = new ArrayList<>();

  private KernelTable(String where, byte[] utf8) {
    if (!(JsonReader.parse(utf8, where) instanceof Json.Obj json)) {
      throw wrong(where, "expected an object");
    }
    if (json.integer("kernelTable").orElse(0L) != 1) {
      throw wrong(where, "expected \"kernelTable\": 1, the version of this form");
    }
    sha256 = digest(utf8);
    engine = text(json, "engine");
    version = text(json, "version");
    commit = text(json, "commit");
    objects(json, "targets").forEach(this::addTarget);
    member(json, "environment")
        .members()
        .forEach((name, value) -> environment.put(name, words(where, value).getFirst()));
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    Json.Obj kernelsJson = member(json, "kernels");
    for (String id : kernelsJson.members().keySet()) {
      kernels.put(id, kernel(id, member(kernelsJson, id)));
    }
    Json.Obj listsJson = member(json, "lists");
    for (String id : listsJson.members().keySet()) {
      lists.put(id, list(id, objects(listsJson, id), kernels));
    }
    Json.Obj schemesJson = member(json, "schemes");
    for (String runtime : schemesJson.members().keySet()) {
      Json.Obj domains = member(schemesJson, runtime);
      for (String domain : domains.members().keySet()) {
        schemes.put(
            runtime + "/" + domain, objects(domains, domain).stream().map(this::scheme).toList());
      }
    }
    objects(json, "refusals").forEach(rule -> refusals.add(hazard(rule, "fatal")));
    objects(json, "hazards").forEach(rule -> hazards.add(hazard(rule, text(rule, "severity"))));
  }

  /** The table that comes with this version of quern. */
  public static KernelTable builtIn() {
    return BuiltIn.TABLE;
  }

  private static final class BuiltIn {
    static final KernelTable TABLE = load();

    private static KernelTable load() {
      try (InputStream in = KernelTable.class.getResourceAsStream(RESOURCE)) {
        return new KernelTable(RESOURCE, in.readAllBytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /**
   * A table from a file.
   *
   * @throws CheckpointException when it cannot be read or is not a table
   */
  public static KernelTable read(Path file) {
    try {
      if (Files.size(file) > JsonReader.MAX_BYTES) {
        throw wrong(file.toString(), "expected at most " + JsonReader.MAX_BYTES + " bytes");
      }
      return new KernelTable(file.toString(), Files.readAllBytes(file));
    } catch (IOException e) {
      throw new CheckpointException(
          file.toString(), "cannot be read (" + e + ")", "Check --table.", e);
    }
  }

  /** The engine, such as {@code vllm}. */
  public String engine() {
    return engine;
  }

  /** Its version, for people. */
  public String version() {
    return version;
  }

  /** The commit that the facts were read from. */
  public String commit() {
    return commit;
  }

  /** SHA-256 of the document, in hex. */
  public String sha256() {
    return sha256;
  }

  /** All targets, in the order of the table. */
  public List<Target> targets() {
    return List.copyOf(targets.values());
  }

  /**
   * Targets by name: ids and aliases in any case and with any punctuation, separated by commas;
   * {@code all} for all, nothing for those that the table looks at by default.
   *
   * @throws CheckpointException for a name that is not known
   */
  public List<Target> targets(String names) {
    if (names.isBlank()) {
      return targets.values().stream().filter(Target::standard).toList();
    }
    LinkedHashSet<Target> found = new LinkedHashSet<>();
    for (String name : names.split(",")) {
      if (plain(name).equals("all")) {
        found.addAll(targets.values());
      } else {
        found.add(target(name));
      }
    }
    return List.copyOf(found);
  }

  private Target target(String name) {
    String id = targetOfAlias.get(plain(name));
    if (id == null) {
      throw new CheckpointException(
          "--target " + name.strip(),
          "unknown target",
          "Use all, or one of "
              + targets.values().stream()
                  .map(t -> t.id() + " (" + String.join(", ", t.aliases()) + ")")
                  .collect(Collectors.joining(", "))
              + ".");
    }
    return targets.get(id);
  }

  private static String plain(String name) {
    return name.strip().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
  }

  /** Environment variables that change something, with their defaults. */
  public Map<String, String> environment() {
    return Map.copyOf(environment);
  }

  /** Schemes in the order of the engine; none for a runtime that has no such domain. */
  List<Scheme> schemes(String runtime, String domain) {
    return schemes.getOrDefault(runtime + "/" + domain, List.of());
  }

  List<When<List<Kernel>>> list(String id) {
    return lists.get(id);
  }

  List<HazardRule> refusals() {
    return refusals;
  }

  List<HazardRule> hazards() {
    return hazards;
  }

  private void addTarget(Json.Obj json) {
    String id = text(json, "id");
    Optional<Long> capability = json.integer("capability");
    Target target =
        new Target(
            id,
            text(json, "name"),
            text(json, "platform"),
            json.string("runtime").orElse(engine),
            capability.isPresent()
                ? OptionalInt.of(Math.toIntExact(capability.get()))
                : OptionalInt.empty(),
            Set.copyOf(words(json, "features")),
            Set.copyOf(words(json, "packages")),
            words(json, "aliases"),
            json.bool("default").orElse(false));
    targets.put(id, target);
    List<String> names = new ArrayList<>(target.aliases());
    names.add(id);
    for (String name : names) {
      String other = targetOfAlias.put(plain(name), id);
      if (other != null && !other.equals(id)) {
        throw wrong(json.where(), name + " names " + other + " and " + id);
      }
    }
  }

  private Scheme scheme(Json.Obj json) {
    String where = json.where();
    List<When<String>> ofLists = choices(where, json.find("list"));
    for (When<String> list : ofLists) {
      if (!lists.containsKey(list.value())) {
        throw wrong(where, "there is no list " + list.value());
      }
    }
    return new Scheme(
        text(json, "id"),
        Math.toIntExact(json.integer("minCapability").orElse(0L)),
        Condition.parseAll(where, words(json, "when")),
        ofLists,
        json.string("refuse"),
        json.string("codes").orElse("biased").equals("signed"),
        gates(json));
  }

  private Kernel kernel(String id, Json.Obj json) {
    String where = json.where();
    String name = json.string("name").orElse(id);
    List<long[]> padding = new ArrayList<>();
    for (Json pad : json.array("pad").orElse(List.of())) {
      padding.add(
          ((Json.Arr) pad)
              .items().stream().mapToLong(m -> ((Json.Num) m).asLong().orElseThrow()).toArray());
    }
    List<When<KernelDecision.Transform>> transforms = new ArrayList<>();
    for (Json item : json.array("transforms").orElse(List.of())) {
      List<Json> row = ((Json.Arr) item).items();
      transforms.add(
          new When<>(
              Condition.parse(where, ((Json.Str) row.get(0)).value()),
              new KernelDecision.Transform(
                  ((Json.Str) row.get(1)).value(), ((Json.Bool) row.get(2)).value())));
    }
    List<KernelDecision.Switch> switches = new ArrayList<>();
    for (Json item : json.array("switch").orElse(List.of())) {
      List<String> row = words(where, item);
      switches.add(new KernelDecision.Switch(row.get(0), row.get(1)));
    }
    return new Kernel(
        id,
        name,
        json.string("class").orElse(name),
        choices(where, json.find("computes")),
        Set.copyOf(words(json, "backends")),
        gates(json),
        padding,
        choices(where, json.find("layout")),
        transforms,
        switches,
        json.string("dequantizedAtLoad").map(text -> Condition.parse(where, text)));
  }

  private List<When<List<Kernel>>> list(
      String id, List<Json.Obj> rows, Map<String, Kernel> kernels) {
    List<When<List<Kernel>>> list = new ArrayList<>();
    for (Json.Obj row : rows) {
      List<Kernel> order = new ArrayList<>();
      for (String name : words(row, "kernels")) {
        Kernel kernel = kernels.get(name);
        if (kernel == null) {
          throw wrong(row.where(), "list " + id + " names " + name + ", which is no kernel");
        }
        order.add(kernel);
      }
      list.add(new When<>(Condition.parse(row.where(), text(row, "when")), List.copyOf(order)));
    }
    return List.copyOf(list);
  }

  private static HazardRule hazard(Json.Obj json, String severity) {
    Map<String, String> environment = new LinkedHashMap<>();
    json.object("env")
        .ifPresent(
            env -> env.members().forEach((k, v) -> environment.put(k, ((Json.Str) v).value())));
    return new HazardRule(
        Condition.parse(json.where(), text(json, "when")),
        new Hazard(
            text(json, "code"),
            severity(json, severity),
            text(json, "says"),
            json.string("fix").orElse(""),
            words(json, "args"),
            environment));
  }

  private static Hazard.Severity severity(Json.Obj json, String name) {
    try {
      return Hazard.Severity.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw wrong(json.where(), "unknown severity " + name);
    }
  }

  private static List<Gate> gates(Json.Obj json) {
    List<Gate> gates = new ArrayList<>();
    for (Json gate : json.array("gates").orElse(List.of())) {
      List<String> row = words(json.where(), gate);
      if (row.size() != 2) {
        throw wrong(json.where(), "expected gates of a condition and a code");
      }
      gates.add(new Gate(Condition.parse(json.where(), row.get(0)), row.get(1)));
    }
    return List.copyOf(gates);
  }

  /** A word for all cases, or pairs of a condition and a word. */
  private static List<When<String>> choices(String where, Optional<Json> json) {
    if (json.isEmpty()) {
      return List.of();
    }
    if (json.get() instanceof Json.Str word) {
      return List.of(new When<>(new Condition("always", Set.of(), _ -> true), word.value()));
    }
    List<When<String>> choices = new ArrayList<>();
    for (Json pair : ((Json.Arr) json.get()).items()) {
      List<String> row = words(where, pair);
      choices.add(new When<>(Condition.parse(where, row.get(0)), row.get(1)));
    }
    return List.copyOf(choices);
  }

  private static List<Json.Obj> objects(Json.Obj json, String name) {
    List<Json.Obj> objects = new ArrayList<>();
    for (Json item : json.array(name).orElseThrow(() -> missing(json, name))) {
      if (!(item instanceof Json.Obj object)) {
        throw wrong(json.where(), name + " should be a list of objects");
      }
      objects.add(object);
    }
    return objects;
  }

  private static Json.Obj member(Json.Obj json, String name) {
    return json.object(name).orElseThrow(() -> missing(json, name));
  }

  private static String text(Json.Obj json, String name) {
    return json.string(name).orElseThrow(() -> missing(json, name));
  }

  private static List<String> words(Json.Obj json, String name) {
    return json.array(name).map(items -> words(json.where(), Json.of(items))).orElse(List.of());
  }

  private static List<String> words(String where, Json list) {
    if (!(list instanceof Json.Arr items)
        || !items.items().stream().allMatch(Json.Str.class::isInstance)) {
      throw wrong(where, "expected a list of words, found " + list.kind());
    }
    return items.items().stream().map(item -> ((Json.Str) item).value()).toList();
  }

  private static CheckpointException missing(Json.Obj json, String name) {
    return wrong(json.where(), "expected \"" + name + "\"");
  }

  private static CheckpointException wrong(String where, String problem) {
    return new CheckpointException(where, problem, REMEDY);
  }

  private static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
