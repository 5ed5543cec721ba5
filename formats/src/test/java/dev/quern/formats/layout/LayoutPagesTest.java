package dev.quern.formats.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The pages of {@code docs/formats} show, for each of these layouts, where the digits of row and
 * column go inside a tile, and the first bytes of a tensor. Both are what the laws say. {@code
 * -Dquern.updateDocs=true} among the test JVM's options writes them anew.
 */
class LayoutPagesTest {
  private static final Path PAGES = TestData.project().resolve("docs/formats");
  private static final int BYTES_SHOWN = 16;

  @Test
  void diagramsAndBytesAreTheLaws() throws Exception {
    TreeMap<String, String> pages = new TreeMap<>();
    try (Stream<Path> files = Files.list(PAGES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".md")).toList()) {
        pages.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    List<String> shown = new ArrayList<>();
    for (Layout layout : layouts()) {
      // The first line of the block, and the lines below that are indented.
      Pattern block = Pattern.compile("(?m)^" + Pattern.quote(layout.id()) + " .*\n(?:  .*\n)*");
      for (String page : pages.keySet()) {
        Matcher matcher = block.matcher(pages.get(page));
        if (matcher.find()) {
          shown.add(layout.id());
          String expected = block(layout);
          if (Boolean.getBoolean("quern.updateDocs")) {
            String text = matcher.replaceFirst(Matcher.quoteReplacement(expected));
            pages.put(page, text);
            Files.writeString(PAGES.resolve(page), text);
          } else {
            assertThat(matcher.group()).as(page).isEqualTo(expected);
          }
        }
      }
    }
    assertThat(shown).containsExactlyElementsOf(layouts().stream().map(Layout::id).toList());
  }

  private static List<Layout> layouts() {
    return Stream.of(
            Marlin24Layouts.ALL,
            SparseLayouts.ALL,
            MacheteLayouts.ALL,
            CutlassW4A8Scales.ALL,
            BlockScaleLayouts.ALL,
            RowLayouts.ALL,
            TrtllmLayouts.ALL,
            DeepGemmLayouts.ALL,
            AiterLayouts.ALL,
            CpuLayouts.ALL)
        .flatMap(List::stream)
        .toList();
  }

  private static String block(Layout layout) {
    int rows = layout.tileRows();
    int columns = layout.tileColumns();
    PackedShape shape = layout.shape(rows, columns);
    return String.format(
        Locale.ROOT,
        "%-20s %d x %d, %d bits%n  digits  %s%n  bytes   %s%n",
        layout.id(),
        rows,
        columns,
        layout.bits(),
        String.join(" ", digits(layout, shape)),
        bytes(layout, shape));
  }

  /** Which digit of row or column each digit of the place is, highest first. */
  private static List<String> digits(Layout layout, PackedShape shape) {
    TreeMap<Long, String> places = new TreeMap<>();
    for (int i = 0; 1 << i < layout.tileRows(); i++) {
      places.put(layout.bit(shape, 1L << i, 0, 0) / layout.bits(), "r" + i);
    }
    for (int i = 0; 1 << i < layout.tileColumns(); i++) {
      places.put(layout.bit(shape, 0, 1L << i, 0) / layout.bits(), "c" + i);
    }
    long next = 1;
    for (long place : places.keySet()) {
      assertThat(place).as(layout.id() + ", a tile is no product of digits").isEqualTo(next);
      next *= 2;
    }
    return List.copyOf(places.descendingMap().values());
  }

  /** The first bytes of a tile whose code at (r, c) is {@code 3 r + 5 c}, as wide as a code is. */
  private static String bytes(Layout layout, PackedShape shape) {
    int bits = layout.bits();
    long rowBytes = Math.ceilDiv(shape.columns() * bits, 8);
    byte[] source = new byte[(int) (shape.rows() * rowBytes)];
    for (int r = 0; r < shape.rows(); r++) {
      for (int c = 0; c < shape.columns(); c++) {
        long code = 3L * r + 5L * c;
        for (int b = 0; b < bits; b++) {
          long at = r * rowBytes * 8 + (long) c * bits + b;
          source[(int) (at / 8)] |= (byte) ((code >> b & 1) << at % 8);
        }
      }
    }
    MemorySegment packed = MemorySegment.ofArray(new byte[(int) shape.bytes()]);
    layout.pack(shape, MemorySegment.ofArray(source), rowBytes, packed);
    long length = Math.min(BYTES_SHOWN, packed.byteSize());
    byte[] first = packed.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    return HexFormat.ofDelimiter(" ").formatHex(first);
  }
}
