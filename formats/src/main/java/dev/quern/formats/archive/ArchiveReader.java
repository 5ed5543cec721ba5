package dev.quern.formats.archive;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.JsonWriter;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Enumeration;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorInputStream;

/** Extracts an archive into a folder, and trusts nothing in it. */
public final class ArchiveReader {
  private static final int BUFFER = 1 << 16;
  private static final int MAX_ENTRIES = 1_000_000;

  private final Path archive;
  private final Path folder;
  private final byte[] buffer = new byte[BUFFER];
  private long left;
  private int entries;

  private ArchiveReader(Path archive, Path folder, long maxBytes) {
    this.archive = archive;
    this.folder = folder;
    this.left = maxBytes;
  }

  /**
   * Extracts all files.
   *
   * @param folder an empty folder
   * @param maxBytes the most bytes that all files together may have
   * @throws CheckpointException when the archive is damaged, too large, or holds an entry that is
   *     no plain file inside the folder
   */
  public static void extract(Path archive, ArchiveType type, Path folder, long maxBytes) {
    ArchiveReader reader = new ArchiveReader(archive, folder, maxBytes);
    try {
      switch (type) {
        case TAR_ZST -> reader.tar();
        case ZIP -> reader.zip();
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new CheckpointException(
          archive.toString(), "cannot be read (" + e + ")", "Fetch or pack it again.", e);
    }
  }

  private void tar() throws IOException {
    try (InputStream file = new BufferedInputStream(Files.newInputStream(archive), BUFFER);
        ZstdCompressorInputStream plain = new ZstdCompressorInputStream(file);
        TarArchiveInputStream tar = new TarArchiveInputStream(plain, "UTF-8")) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        if (!entry.isDirectory()) {
          if (!entry.isFile() || entry.isLink() || entry.isSymbolicLink() || entry.isSparse()) {
            throw refused(entry.getName(), "expected a plain file, found something else");
          }
          copy(entry.getName(), tar);
        }
      }
    }
  }

  private void zip() throws IOException {
    try (ZipFile zip = ZipFile.builder().setPath(archive).get()) {
      Enumeration<ZipArchiveEntry> all = zip.getEntriesInPhysicalOrder();
      while (all.hasMoreElements()) {
        ZipArchiveEntry entry = all.nextElement();
        if (!entry.isDirectory()) {
          if (entry.isUnixSymlink()) {
            throw refused(entry.getName(), "expected a plain file, found a symbolic link");
          }
          try (InputStream in = zip.getInputStream(entry)) {
            copy(entry.getName(), in);
          }
        }
      }
    }
  }

  private void copy(String name, InputStream in) throws IOException {
    if (++entries > MAX_ENTRIES) {
      throw refused(name, "more than " + MAX_ENTRIES + " files");
    }
    Path target = inside(name);
    Files.createDirectories(target.getParent());
    if (Files.exists(target)) {
      throw refused(name, "the archive holds it twice");
    }
    try (OutputStream out = Files.newOutputStream(target, StandardOpenOption.CREATE_NEW)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        left -= n;
        if (left < 0) {
          throw refused(name, "the files are larger than the disk's free space");
        }
        out.write(buffer, 0, n);
      }
    }
  }

  /** The place of an entry: plain names with slashes between them. */
  private Path inside(String name) {
    boolean plain = !name.isEmpty() && !name.contains("\\") && name.indexOf('\0') < 0;
    for (String part : name.split("/", -1)) {
      plain &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
    }
    if (!plain || !folder.resolve(name).normalize().startsWith(folder)) {
      throw refused(name, "expected a path inside the folder");
    }
    return folder.resolve(name);
  }

  private CheckpointException refused(String name, String problem) {
    return new CheckpointException(
        archive + ", entry " + JsonWriter.quote(name), problem, "Do not trust this archive.");
  }
}
