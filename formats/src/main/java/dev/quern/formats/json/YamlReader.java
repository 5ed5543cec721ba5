package dev.quern.formats.json;

import dev.quern.formats.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/**
 * Reads a YAML 1.2 document (core schema) into the values of JSON.
 *
 * <p>Only plain values are read, and no tag makes anything else of them. Refused: text that is not
 * UTF-8, a key twice in one mapping, keys that are no text, tags of other types (Python objects and
 * the like), a second document, aliases to what encloses them, more than {@link #MAX_DEPTH} levels,
 * more than {@link #MAX_BYTES} bytes, more than {@link #MAX_VALUES} values after aliases have taken
 * their places.
 */
public final class YamlReader {
  /** The largest document that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  /** The deepest nesting that is read. */
  public static final int MAX_DEPTH = 50;

  /** The most values that a document may stand for. */
  public static final int MAX_VALUES = 100_000;

  private static final String REMEDY = "Correct the file.";

  /** A value with the number of values in it. */
  private record Sized(Json value, int size) {}

  private final String where;
  private final Iterator<Event> events;
  private final Map<String, Sized> anchors = new HashMap<>();
  private int values;

  private YamlReader(String where, Iterator<Event> events) {
    this.where = where;
    this.events = events;
  }

  /**
   * Reads a file whose document must be a mapping.
   *
   * @throws CheckpointException when it is missing, unreadable, too large, not valid YAML or not a
   *     mapping
   */
  public static Json.Obj readObject(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      throw new CheckpointException(file.toString(), "no such file", "Check the path.", e);
    } catch (IOException e) {
      throw new CheckpointException(
          file.toString(), "cannot be read (" + e + ")", "Check that it is a readable file.", e);
    }
    return parseObject(bytes, file.toString());
  }

  /**
   * Reads a document from memory.
   *
   * @param where the name of the document in messages
   */
  public static Json.Obj parseObject(byte[] utf8, String where) {
    if (utf8.length > MAX_BYTES) {
      throw new CheckpointException(
          where,
          "expected at most " + MAX_BYTES + " bytes of YAML, found more",
          "Check that this is the right file.");
    }
    Utf8Text text = Utf8Text.decode(utf8, where, 0, REMEDY);
    LoadSettings settings = LoadSettings.builder().setCodePointLimit(MAX_BYTES).build();
    try {
      String characters = new String(text.chars(), 0, text.length());
      Iterator<Event> events = new ParserImpl(settings, new StreamReader(settings, characters));
      if (new YamlReader(where, events).document() instanceof Json.Obj object) {
        return object;
      }
    } catch (MarkedYamlEngineException e) {
      throw invalid(where, e.getProblemMark(), e.getProblem(), e);
    } catch (YamlEngineException e) {
      throw invalid(where, Optional.empty(), String.valueOf(e.getMessage()), e);
    }
    throw new CheckpointException(where, "expected a mapping of keys to values", REMEDY);
  }

  private Json document() {
    next(Event.ID.StreamStart);
    Event first = events.next();
    if (first.getEventId() != Event.ID.DocumentStart) {
      throw invalid(first, "the document is empty");
    }
    Json value = value(events.next(), new Place(null, where), 0).value();
    next(Event.ID.DocumentEnd);
    Event last = events.next();
    if (last.getEventId() != Event.ID.StreamEnd) {
      throw invalid(last, "a second document follows; expected one");
    }
    return value;
  }

  private void next(Event.ID expected) {
    Event event = events.next();
    if (event.getEventId() != expected) {
      throw new IllegalStateException("expected " + expected + ", found " + event);
    }
  }

  private Sized value(Event event, Place place, int depth) {
    if (depth > MAX_DEPTH) {
      throw invalid(event, "more than " + MAX_DEPTH + " levels");
    }
    Sized value =
        switch (event.getEventId()) {
          case Alias -> alias((AliasEvent) event);
          case Scalar -> new Sized(scalar((ScalarEvent) event), 1);
          case SequenceStart -> sequence((CollectionStartEvent) event, place, depth);
          case MappingStart -> mapping((CollectionStartEvent) event, place, depth);
          default -> throw invalid(event, "expected a value");
        };
    values += event instanceof AliasEvent ? value.size() : 1;
    if (values > MAX_VALUES) {
      throw invalid(event, "more than " + MAX_VALUES + " values, aliases written out");
    }
    if (!(event instanceof AliasEvent)) {
      ((NodeEvent) event).getAnchor().ifPresent(name -> anchors.put(name.getValue(), value));
    }
    return value;
  }

  /** An anchor is known from the end of its value on, so no value can hold itself. */
  private Sized alias(AliasEvent event) {
    String name = event.getAlias().getValue();
    Sized value = anchors.get(name);
    if (value == null) {
      throw invalid(event, "the alias *" + name + " refers to nothing before it");
    }
    return value;
  }

  private Sized sequence(CollectionStartEvent start, Place place, int depth) {
    requirePlain(start, start.getTag(), "tag:yaml.org,2002:seq");
    List<Json> items = new ArrayList<>();
    int size = 1;
    for (Event event = events.next();
        event.getEventId() != Event.ID.SequenceEnd;
        event = events.next()) {
      Sized item = value(event, new Place(place, "[" + items.size() + "]"), depth + 1);
      items.add(item.value());
      size += item.size();
    }
    return new Sized(new Json.Arr(items), size);
  }

  private Sized mapping(CollectionStartEvent start, Place place, int depth) {
    requirePlain(start, start.getTag(), "tag:yaml.org,2002:map");
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    int size = 1;
    for (Event event = events.next();
        event.getEventId() != Event.ID.MappingEnd;
        event = events.next()) {
      if (!(event instanceof ScalarEvent key)) {
        throw invalid(event, "expected a text as a key");
      }
      String name = key.getValue();
      if (members.containsKey(name)) {
        throw invalid(event, JsonWriter.quote(name) + " stands twice in one mapping");
      }
      Sized value = value(events.next(), new Place(place, ": " + name), depth + 1);
      members.put(name, value.value());
      size += value.size();
    }
    return new Sized(new Json.Obj(members, place), size);
  }

  private Json scalar(ScalarEvent event) {
    Optional<String> tag = event.getTag();
    if (tag.isPresent() || !event.isPlain()) {
      requirePlain(event, tag, "tag:yaml.org,2002:str");
      return new Json.Str(wellFormed(event));
    }
    return YamlScalar.value(event.getValue()).orElseGet(() -> new Json.Str(wellFormed(event)));
  }

  private String wellFormed(ScalarEvent event) {
    if (!Utf8Text.isWellFormed(event.getValue())) {
      throw invalid(event, "a text holds half a surrogate pair");
    }
    return event.getValue();
  }

  private void requirePlain(Event event, Optional<String> tag, String plain) {
    if (tag.isPresent() && !tag.get().equals(plain) && !tag.get().equals("!")) {
      throw invalid(event, "the tag " + tag.get() + " is not read; expected a plain value");
    }
  }

  private CheckpointException invalid(Event event, String problem) {
    return invalid(where, event.getStartMark(), problem, null);
  }

  private static CheckpointException invalid(
      String where, Optional<Mark> mark, String problem, Throwable cause) {
    String place =
        mark.map(m -> where + ", line " + (m.getLine() + 1) + ", column " + (m.getColumn() + 1))
            .orElse(where);
    String line = problem.lines().findFirst().orElse("syntax error");
    return new CheckpointException(place, "not valid YAML: " + line, REMEDY, cause);
  }
}
