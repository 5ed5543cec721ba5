package dev.quern.formats.archive;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.ArchiveEntry;
import org.apache.commons.compress.archivers.ArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorOutputStream;

/** Writes a folder's files to an archive that depends on their names and bytes alone. */
public final class ArchiveWriter {
  /** Quantized weights hardly compress; what is won beyond this level is not worth the time. */
  private static final int ZSTD_LEVEL = 3;

  private static final int BUFFER = 1 << 16;

  /** The earliest time that zip can say. It has no time zone there, and none here. */
  private static final LocalDateTime DOS_EPOCH = LocalDateTime.of(1980, 1, 1, 0, 0);

  private static final int FILE_MODE = 0644;

  private ArchiveWriter() {}

  /**
   * Writes all files below {@code folder}, sorted by path.
   *
   * @param archive a file that does not exist yet
   */
  public static void write(Path folder, ArchiveType type, Path archive) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(archive), BUFFER)) {
      switch (type) {
        case TAR_ZST -> tar(folder, files, out);
        case ZIP -> zip(folder, files, out);
      }
    }
  }

  private static void tar(Path folder, List<Path> files, OutputStream out) throws IOException {
    try (ZstdCompressorOutputStream compressed =
            ZstdCompressorOutputStream.builder().setOutputStream(out).setLevel(ZSTD_LEVEL).get();
        TarArchiveOutputStream tar = new TarArchiveOutputStream(compressed, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      for (Path file : files) {
        TarArchiveEntry entry = new TarArchiveEntry(name(folder, file));
        entry.setSize(Files.size(file));
        entry.setMode(FILE_MODE);
        entry.setModTime(0);
        entry.setIds(0, 0);
        entry.setNames("", "");
        put(tar, entry, file);
      }
    }
  }

  private static void zip(Path folder, List<Path> files, OutputStream out) throws IOException {
    try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(out)) {
      zip.setUseZip64(Zip64Mode.AsNeeded);
      for (Path file : files) {
        ZipArchiveEntry entry = new ZipArchiveEntry(name(folder, file));
        entry.setSize(Files.size(file));
        // Not by setTime, which asks for the machine's time zone.
        entry.setTimeLocal(DOS_EPOCH);
        put(zip, entry, file);
      }
    }
  }

  private static <E extends ArchiveEntry> void put(
      ArchiveOutputStream<E> archive, E entry, Path file) throws IOException {
    archive.putArchiveEntry(entry);
    Files.copy(file, archive);
    archive.closeArchiveEntry();
  }

  private static String name(Path folder, Path file) {
    return folder.relativize(file).toString().replace('\\', '/');
  }
}
