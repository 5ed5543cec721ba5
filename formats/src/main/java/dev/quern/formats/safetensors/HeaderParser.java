package dev.quern.formats.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.json.Utf8Text;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * From the header's text to its entries: JSON, names used once, the right kind of value in each
 * place. What the values mean is {@link HeaderChecks}' business.
 *
 * <p>Unknown members of a tensor's entry are ignored, as the reference implementation does.
 */
final class HeaderParser {
  static final String REMEDY =
      "The file is damaged or was not written as safetensors; fetch it again or convert it again.";

  /**
   * A tensor's entry as it stands.
   *
   * @param at the character of the text at which its name starts; see {@link #place(Entry)}
   */
  record Entry(String name, String dtype, List<Long> shape, long begin, long end, long at) {}

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          // Names go straight to strings: a table of names would be one more thing to attack.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(64)
                  .maxStringLength((int) Header.MAX_BYTES)
                  .maxNameLength((int) Header.MAX_BYTES)
                  .build())
          .build();

  private final Path file;
  private final Utf8Text text;
  private final JsonParser parser;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private SortedMap<String, String> metadata;

  private HeaderParser(Path file, Utf8Text text, JsonParser parser) {
    this.file = file;
    this.text = text;
    this.parser = parser;
  }

  /** Parses the JSON text that follows the length. */
  static HeaderParser parse(Path file, Utf8Text text) {
    try (JsonParser parser = FACTORY.createParser(text.chars(), 0, text.length())) {
      HeaderParser header = new HeaderParser(file, text, parser);
      header.document();
      return header;
    } catch (JsonProcessingException e) {
      String reason = e.getOriginalMessage().lines().findFirst().orElse("syntax error");
      throw new CheckpointException(
          place(file, text, e.getLocation()), "header is not valid JSON: " + reason, REMEDY, e);
    } catch (IOException e) {
      throw new CheckpointException(
          file.toString(), "header is not valid JSON: " + e.getMessage(), REMEDY, e);
    }
  }

  /** The entries in the order of the header. */
  List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  /** The free texts, empty when there are none. */
  SortedMap<String, String> metadata() {
    return metadata == null
        ? Collections.emptySortedMap()
        : Collections.unmodifiableSortedMap(metadata);
  }

  private void document() throws IOException {
    require(parser.nextToken(), JsonToken.START_OBJECT, "header", "an object");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      long at = parser.currentTokenLocation().getCharOffset();
      wellFormed(name);
      if (name.equals(Header.METADATA)) {
        if (metadata != null) {
          throw refuse("name " + JsonWriter.quote(name) + " stands twice; expected each name once");
        }
        readMetadata();
      } else {
        if (entries.containsKey(name)) {
          throw refuse(
              "tensor name " + JsonWriter.quote(name) + " stands twice; expected each name once");
        }
        entries.put(name, entry(name, at));
      }
    }
    if (parser.nextToken() != null) {
      throw refuse("header is not valid JSON: something follows the closing brace");
    }
  }

  private void readMetadata() throws IOException {
    metadata = new TreeMap<>(JsonWriter.byCodePoint());
    JsonToken token = parser.nextToken();
    if (token == JsonToken.VALUE_NULL) {
      return;
    }
    require(token, JsonToken.START_OBJECT, Header.METADATA, "an object");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = wellFormed(parser.currentName());
      String what = Header.METADATA + " entry " + JsonWriter.quote(key);
      require(parser.nextToken(), JsonToken.VALUE_STRING, what, "a string");
      if (metadata.put(key, wellFormed(parser.getText())) != null) {
        throw refuse(what + " stands twice; expected each name once");
      }
    }
  }

  private Entry entry(String name, long at) throws IOException {
    String shown = "tensor " + JsonWriter.quote(name);
    require(parser.nextToken(), JsonToken.START_OBJECT, shown, "an object");
    String dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String member = parser.currentName();
      String what = shown + ": " + member;
      switch (member) {
        case Header.DTYPE -> {
          once(dtype, what);
          require(parser.nextToken(), JsonToken.VALUE_STRING, what, "a string");
          dtype = parser.getText();
        }
        case Header.SHAPE -> {
          once(shape, what);
          shape = wholeNumbers(what);
        }
        case Header.OFFSETS -> {
          once(offsets, what);
          offsets = wholeNumbers(what);
          if (offsets.size() != 2) {
            throw refuse(what + " should be two whole numbers, found " + offsets.size());
          }
        }
        default -> {
          parser.nextToken();
          parser.skipChildren();
        }
      }
    }
    present(dtype, shown, Header.DTYPE);
    present(shape, shown, Header.SHAPE);
    present(offsets, shown, Header.OFFSETS);
    return new Entry(name, dtype, shape, offsets.get(0), offsets.get(1), at);
  }

  private List<Long> wholeNumbers(String what) throws IOException {
    require(parser.nextToken(), JsonToken.START_ARRAY, what, "a list of whole numbers");
    List<Long> numbers = new ArrayList<>(4);
    for (JsonToken token = parser.nextToken();
        token != JsonToken.END_ARRAY;
        token = parser.nextToken()) {
      require(token, JsonToken.VALUE_NUMBER_INT, what, "a list of whole numbers");
      if (parser.getText().startsWith("-")) {
        throw refuse(what + " holds " + parser.getText() + "; expected no negative number");
      }
      try {
        numbers.add(parser.getLongValue());
      } catch (InputCoercionException e) {
        throw refuse(
            what + " holds " + shorten(parser.getText()) + "; expected at most " + Long.MAX_VALUE);
      }
    }
    return numbers;
  }

  private void require(JsonToken found, JsonToken expected, String what, String word) {
    if (found != expected) {
      throw refuse(what + " should be " + word + ", found " + word(found));
    }
  }

  private void once(Object earlier, String what) {
    if (earlier != null) {
      throw refuse(what + " stands twice; expected each name once");
    }
  }

  private void present(Object value, String shown, String member) {
    if (value == null) {
      throw refuse(shown + " has no " + member + "; expected dtype, shape and data_offsets");
    }
  }

  private String wellFormed(String value) {
    if (!Utf8Text.isWellFormed(value)) {
      throw refuse("header is not valid JSON: a string holds half a surrogate pair");
    }
    return value;
  }

  private CheckpointException refuse(String problem) {
    return new CheckpointException(
        place(file, text, parser.currentTokenLocation()), problem, REMEDY);
  }

  /** File and byte of an entry. Counting bytes takes linear time, so only messages ask for it. */
  String place(Entry entry) {
    return place(file, text, entry.at());
  }

  private static String place(Path file, Utf8Text text, JsonLocation at) {
    return at == null ? file.toString() : place(file, text, at.getCharOffset());
  }

  private static String place(Path file, Utf8Text text, long at) {
    return file + ", byte " + (Header.PREFIX_BYTES + text.byteOffset(at));
  }

  private static String shorten(String number) {
    return number.length() > 40 ? number.substring(0, 40) + "..." : number;
  }

  private static String word(JsonToken token) {
    return switch (token) {
      case null -> "the end of the header";
      case START_OBJECT -> "an object";
      case START_ARRAY -> "a list";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT -> "a whole number";
      case VALUE_NUMBER_FLOAT -> "a number with a fraction or exponent";
      case VALUE_TRUE, VALUE_FALSE -> "true or false";
      case VALUE_NULL -> "null";
      default -> "the end of the list or object";
    };
  }
}
