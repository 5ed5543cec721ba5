package dev.quern.formats.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import dev.quern.formats.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * Reads a JSON document whole and strictly.
 *
 * <p>Refused: text that is not UTF-8, a name twice in one object, anything after the document, half
 * a surrogate pair, more than {@link #MAX_DEPTH} levels, more than {@link #MAX_BYTES} bytes.
 * Accepted beyond RFC 8259: {@code NaN}, {@code Infinity} and {@code -Infinity}, which Python
 * writes and real configurations contain.
 */
public final class JsonReader {
  /** The largest document that is read, in bytes: an index of a million tensors fits. */
  public static final int MAX_BYTES = 1 << 28;

  /** The deepest nesting that is read. */
  public static final int MAX_DEPTH = 200;

  private static final String REMEDY =
      "Correct the file, or take it from the model's original source.";

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          // Names go straight to strings: a table of names would be one more thing to attack.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxStringLength(MAX_BYTES)
                  .maxNameLength(MAX_BYTES)
                  .build())
          .build();

  private final String where;
  private final Utf8Text text;
  private final JsonParser parser;

  private JsonReader(String where, Utf8Text text, JsonParser parser) {
    this.where = where;
    this.text = text;
    this.parser = parser;
  }

  /**
   * Reads a file.
   *
   * @throws CheckpointException when it is missing, unreadable, too large or not valid JSON
   */
  public static Json read(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      // One byte more than allowed, whatever length the file claims.
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      throw new CheckpointException(
          file.toString(), "no such file", "Check the path and that the download is complete.", e);
    } catch (IOException e) {
      throw new CheckpointException(
          file.toString(), "cannot be read (" + e + ")", "Check that it is a readable file.", e);
    }
    return parse(bytes, file.toString());
  }

  /**
   * Reads a file whose document must be an object.
   *
   * @throws CheckpointException as {@link #read}, and when the document is not an object
   */
  public static Json.Obj readObject(Path file) {
    if (read(file) instanceof Json.Obj object) {
      return object;
    }
    throw new CheckpointException(
        file.toString(), "expected a JSON object, found another kind of document", REMEDY);
  }

  /**
   * Reads a document from memory.
   *
   * @param where the name of the document in messages
   */
  public static Json parse(byte[] utf8, String where) {
    if (utf8.length > MAX_BYTES) {
      throw new CheckpointException(
          where,
          "expected at most " + MAX_BYTES + " bytes of JSON, found more",
          "Check that this is the right file.");
    }
    Utf8Text text = Utf8Text.decode(utf8, where, 0, REMEDY);
    try (JsonParser parser = FACTORY.createParser(text.chars(), 0, text.length())) {
      return new JsonReader(where, text, parser).document();
    } catch (JsonProcessingException e) {
      throw invalid(where, text, e.getLocation(), firstLine(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new CheckpointException(where, "not valid JSON (" + e.getMessage() + ")", REMEDY, e);
    }
  }

  private Json document() throws IOException {
    JsonToken first = parser.nextToken();
    if (first == null) {
      throw invalid("the document is empty");
    }
    Json value = value(first, new Place(null, where));
    if (parser.nextToken() != null) {
      throw invalid("something follows the end of the document");
    }
    return value;
  }

  private Json value(JsonToken token, Place place) throws IOException {
    return switch (token) {
      case START_OBJECT -> object(place);
      case START_ARRAY -> array(place);
      case VALUE_STRING -> new Json.Str(wellFormed(parser.getText()));
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number();
      case VALUE_TRUE -> new Json.Bool(true);
      case VALUE_FALSE -> new Json.Bool(false);
      case VALUE_NULL -> Json.Null.NULL;
      default -> throw invalid("expected a value");
    };
  }

  private Json.Obj object(Place place) throws IOException {
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = wellFormed(parser.currentName());
      if (members.containsKey(name)) {
        throw invalid(
            JsonWriter.quote(name) + " stands twice in one object; expected each name once");
      }
      members.put(name, value(parser.nextToken(), new Place(place, ": " + name)));
    }
    return new Json.Obj(members, place);
  }

  private Json.Arr array(Place place) throws IOException {
    List<Json> items = new ArrayList<>();
    for (JsonToken token = parser.nextToken();
        token != JsonToken.END_ARRAY;
        token = parser.nextToken()) {
      items.add(value(token, new Place(place, "[" + items.size() + "]")));
    }
    return new Json.Arr(items);
  }

  private Json.Num number() throws IOException {
    try {
      return new Json.Num(parser.getText());
    } catch (IllegalArgumentException e) {
      throw invalid("expected a number, found " + JsonWriter.quote(parser.getText()));
    }
  }

  private String wellFormed(String value) {
    if (!Utf8Text.isWellFormed(value)) {
      throw invalid("a string holds half a surrogate pair");
    }
    return value;
  }

  private CheckpointException invalid(String problem) {
    return invalid(where, text, parser.currentTokenLocation(), problem, null);
  }

  private static CheckpointException invalid(
      String where, Utf8Text text, JsonLocation at, String problem, Throwable cause) {
    String place =
        at == null
            ? where
            : where
                + ", line "
                + at.getLineNr()
                + ", column "
                + at.getColumnNr()
                + " (byte "
                + text.byteOffset(at.getCharOffset())
                + ")";
    return new CheckpointException(place, "not valid JSON: " + problem, REMEDY, cause);
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("syntax error");
  }
}
