package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Reads the members of one object of {@code quantization_config}; every refusal names the place.
 */
public final class ConfigReader {
  private final Json.Obj json;

  /** A reader of this object's members. */
  public ConfigReader(Json.Obj json) {
    this.json = json;
  }

  /** The place of a member, for messages. */
  public String where(String key) {
    return json.where() + ": " + key;
  }

  /**
   * Readers of compressed checkpoints refuse a key they do not know, so we do not let one pass
   * either.
   *
   * @throws CheckpointException for the first that is not among these, with what it may have meant
   */
  public void allowOnly(Set<String> keys) {
    for (String key : json.members().keySet()) {
      if (!keys.contains(key)) {
        throw invalid(
            json.where(),
            "unknown key " + JsonWriter.quote(key),
            NearestNames.question(key, keys)
                + "Remove or correct it; the keys known here are "
                + String.join(", ", keys.stream().sorted().toList()));
      }
    }
  }

  OptionalInt integer(String key) {
    Optional<Long> value = json.integer(key);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    long whole = value.get();
    if (whole != (int) whole) {
      throw invalid(where(key), "expected a 32-bit number, found " + whole, "Correct the file");
    }
    return OptionalInt.of((int) whole);
  }

  /** The constant with this name, in any case; empty when the key is absent or null. */
  <E extends Enum<E> & ConfigName> Optional<E> constant(String key, Class<E> type) {
    return json.string(key).map(name -> constantNamed(where(key), name, type));
  }

  static <E extends Enum<E> & ConfigName> E constantNamed(
      String where, String name, Class<E> type) {
    E[] constants = type.getEnumConstants();
    String lower = name.toLowerCase(Locale.ROOT);
    return Arrays.stream(constants)
        .filter(constant -> constant.configName().equals(lower))
        .findFirst()
        .orElseThrow(
            () ->
                invalid(
                    where,
                    "expected one of "
                        + Arrays.stream(constants)
                            .map(ConfigName::configName)
                            .collect(Collectors.joining(", "))
                        + ", found "
                        + JsonWriter.quote(name),
                    "Correct the value"));
  }

  /** A list of strings; empty list when the key is absent or null. */
  public List<String> strings(String key) {
    return json.array(key).map(items -> strings(where(key), items)).orElse(List.of());
  }

  static List<String> strings(String where, List<Json> items) {
    return items.stream()
        .map(
            item -> {
              if (item instanceof Json.Str text) {
                return text.value();
              }
              throw invalid(
                  where,
                  "expected a list of strings, found " + item.kind() + " in it",
                  "Correct it");
            })
        .toList();
  }

  <T> Optional<T> object(String key, Function<Json.Obj, T> read) {
    return json.object(key).map(read);
  }

  /** A string, or a list of strings; empty when the key is absent or null. */
  public Optional<List<String>> stringOrStrings(String key) {
    Optional<Json> value = json.find(key).filter(found -> found != Json.Null.NULL);
    if (value.isPresent() && value.get() instanceof Json.Str text) {
      return Optional.of(List.of(text.value()));
    }
    return json.array(key).map(items -> strings(where(key), items));
  }

  /** Puts the place of the object before a message that knows only the key. */
  public <T> T located(Supplier<T> build) {
    try {
      return build.get();
    } catch (CheckpointException e) {
      throw new CheckpointException(json.where() + ": " + e.where(), e.problem(), e.remedy(), e);
    }
  }
}
