package dev.quern.formats.json;

import dev.quern.formats.CheckpointException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * A JSON value. Immutable, so it may be shared between threads.
 *
 * <p>Source: RFC 8259, plus the {@code NaN}, {@code Infinity} and {@code -Infinity} that Python
 * writes.
 */
public sealed interface Json {

  /** A text value. */
  static Str of(String value) {
    return new Str(value);
  }

  /** A whole number. */
  static Num of(long value) {
    return new Num(Long.toString(value));
  }

  /**
   * A number with the literal that Python's {@code repr} gives it: {@code 1e-06}, {@code 0.01},
   * {@code 1.0}.
   */
  static Num of(double value) {
    return new Num(PythonFloat.repr(value));
  }

  /** A truth value. */
  static Bool of(boolean value) {
    return new Bool(value);
  }

  /** A list. */
  static Arr of(List<? extends Json> items) {
    return new Arr(List.copyOf(items));
  }

  /** The word for this kind of value in messages: "an object", "a number". */
  default String kind() {
    return switch (this) {
      case Obj _ -> "an object";
      case Arr _ -> "a list";
      case Str _ -> "a string";
      case Num _ -> "a number";
      case Bool _ -> "true or false";
      case Null _ -> "null";
    };
  }

  /**
   * An object: names with values, in the order of the document.
   *
   * <p>It remembers which document it was read from, so that a member of the wrong kind is reported
   * with its place. That place takes no part in equality.
   */
  final class Obj implements Json {
    private static final Obj EMPTY = new Obj(new LinkedHashMap<>(), new Place(null, "JSON object"));

    private final Map<String, Json> members;
    private final Place place;

    Obj(LinkedHashMap<String, Json> members, Place place) {
      this.members = Collections.unmodifiableMap(members);
      this.place = place;
    }

    /** The object without members. */
    public static Obj empty() {
      return EMPTY;
    }

    /** An object with these members, in the map's iteration order. */
    public static Obj of(Map<String, ? extends Json> members) {
      LinkedHashMap<String, Json> copy = new LinkedHashMap<>();
      members.forEach((name, value) -> copy.put(name, Objects.requireNonNull(value, name)));
      return new Obj(copy, EMPTY.place);
    }

    /** All members in order; unmodifiable. */
    public Map<String, Json> members() {
      return members;
    }

    /** The document and the path in it that this object came from. */
    public String where() {
      return place.toString();
    }

    /** This object with one member set: in its old place when there was one, else at the end. */
    public Obj with(String name, Json value) {
      LinkedHashMap<String, Json> copy = new LinkedHashMap<>(members);
      copy.put(name, Objects.requireNonNull(value, name));
      return new Obj(copy, place);
    }

    /** This object without one member. */
    public Obj without(String name) {
      LinkedHashMap<String, Json> copy = new LinkedHashMap<>(members);
      copy.remove(name);
      return new Obj(copy, place);
    }

    /** True when the member exists, even as null. */
    public boolean has(String name) {
      return members.containsKey(name);
    }

    /** The member as it is, null included. */
    public Optional<Json> find(String name) {
      return Optional.ofNullable(members.get(name));
    }

    /**
     * The member as an object; empty when it is absent or null.
     *
     * @throws CheckpointException when it is of another kind; so do the other typed accessors
     */
    public Optional<Obj> object(String name) {
      return typed(name, Obj.class, "an object");
    }

    /** The member as a list; empty when it is absent or null. */
    public Optional<List<Json>> array(String name) {
      return typed(name, Arr.class, "a list").map(Arr::items);
    }

    /** The member as text; empty when it is absent or null. */
    public Optional<String> string(String name) {
      return typed(name, Str.class, "a string").map(Str::value);
    }

    /** The member as a truth value; empty when it is absent or null. */
    public Optional<Boolean> bool(String name) {
      return typed(name, Bool.class, "true or false").map(Bool::value);
    }

    /** The member as a double; empty when it is absent or null. */
    public Optional<Double> number(String name) {
      return typed(name, Num.class, "a number").map(Num::doubleValue);
    }

    /** The member as a whole number of 64 bits; empty when it is absent or null. */
    public Optional<Long> integer(String name) {
      return typed(name, Num.class, "a whole number")
          .map(
              number -> {
                OptionalLong whole = number.asLong();
                if (whole.isEmpty()) {
                  throw wrongKind(name, "a whole number", number.literal());
                }
                return whole.getAsLong();
              });
    }

    private <T extends Json> Optional<T> typed(String name, Class<T> type, String expected) {
      Json value = members.get(name);
      if (value == null || value == Null.NULL) {
        return Optional.empty();
      }
      if (!type.isInstance(value)) {
        throw wrongKind(name, expected, value.kind());
      }
      return Optional.of(type.cast(value));
    }

    private CheckpointException wrongKind(String name, String expected, String found) {
      return new CheckpointException(
          where(),
          JsonWriter.quote(name) + " should be " + expected + ", found " + found,
          "Correct the file, or take it from the model's original source.");
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Obj obj && members.equals(obj.members);
    }

    @Override
    public int hashCode() {
      return members.hashCode();
    }

    @Override
    public String toString() {
      return JsonWriter.compact(this);
    }
  }

  /** A list. */
  record Arr(List<Json> items) implements Json {
    public Arr {
      items = List.copyOf(items);
    }
  }

  /** A text. */
  record Str(String value) implements Json {
    public Str {
      Objects.requireNonNull(value);
    }
  }

  /**
   * A number, as it was written. Two numbers are equal when their literals are.
   *
   * @param literal a JSON number, or Python's {@code NaN}, {@code Infinity}, {@code -Infinity}
   */
  record Num(String literal) implements Json {
    private static final Pattern GRAMMAR =
        Pattern.compile("-?(0|[1-9][0-9]*+)(\\.[0-9]++)?([eE][+-]?[0-9]++)?|NaN|-?Infinity");

    public Num {
      if (!GRAMMAR.matcher(literal).matches()) {
        throw new IllegalArgumentException("not a JSON number: " + literal);
      }
    }

    /** The value when the literal is a whole number without point or exponent and fits 64 bits. */
    public OptionalLong asLong() {
      try {
        return OptionalLong.of(Long.parseLong(literal));
      } catch (NumberFormatException e) {
        return OptionalLong.empty();
      }
    }

    /** The nearest double. */
    public double doubleValue() {
      return Double.parseDouble(literal);
    }
  }

  /** True or false. */
  record Bool(boolean value) implements Json {}

  /** The null literal. */
  enum Null implements Json {
    NULL
  }
}
