package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quern.formats.CheckpointException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged headers by the hundred thousand, from a seed: each file either opens and is consistent,
 * or is refused with a {@link CheckpointException}. No other exception, no allocation out of
 * proportion.
 */
class SafetensorsFuzzTest {
  private static final int MUTANTS = 200_000;
  private static final long MAX_ALLOCATION = 4L << 20;

  private static final Path NAME = Path.of("mutant.safetensors");

  @TempDir Path folder;

  @Test
  void everyMutantIsReadConsistentlyOrRefused() throws IOException {
    HeaderMutator mutator = new HeaderMutator(new SplittableRandom(20_260_101));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int read = 0;
    int refused = 0;
    long worst = 0;
    for (int i = 0; i < MUTANTS; i++) {
      byte[] mutant = mutator.next();
      long before = threads.getCurrentThreadAllocatedBytes();
      if (isReadConsistently(mutant)) {
        read++;
      } else {
        refused++;
      }
      worst = Math.max(worst, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(read + refused).isEqualTo(MUTANTS);
    assertThat(read).isGreaterThan(MUTANTS / 100);
    assertThat(refused).isGreaterThan(MUTANTS / 2);
    assertThat(worst).isLessThan(MAX_ALLOCATION);
  }

  @Test
  void filesAndBytesInMemoryGetTheSameVerdict() throws IOException {
    HeaderMutator mutator = new HeaderMutator(new SplittableRandom(20_260_102));
    Path path = folder.resolve("mutant.safetensors");
    int opened = 0;
    for (int i = 0; i < 2_000; i++) {
      byte[] mutant = mutator.next();
      overwrite(path, mutant);
      boolean opens;
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        opens = file.fileBytes() == mutant.length;
        opened++;
      } catch (CheckpointException e) {
        opens = false;
      }
      assertThat(opens).as("mutant %d", i).isEqualTo(isReadConsistently(mutant));
    }
    assertThat(opened).isBetween(20, 1_000);
  }

  @Test
  void theSeedsAreGood() throws IOException {
    for (byte[] seed : HeaderMutator.seeds()) {
      assertThat(isReadConsistently(seed)).isTrue();
    }
  }

  private static boolean isReadConsistently(byte[] bytes) throws IOException {
    HeaderReader header;
    try {
      header =
          HeaderReader.read(
              NAME,
              bytes.length,
              (from, length) ->
                  Arrays.copyOfRange(bytes, (int) from, Math.addExact((int) from, length)));
    } catch (CheckpointException e) {
      return false;
    } catch (RuntimeException | Error e) {
      throw new AssertionError("mutant: " + HeaderMutator.describe(bytes), e);
    }
    long at = 0;
    Set<String> names = new HashSet<>();
    for (TensorInfo tensor : header.tensors()) {
      boolean consistent =
          tensor.begin() == at
              && tensor.bytes() == tensor.spec().bytes()
              && names.add(tensor.name());
      if (!consistent) {
        throw new AssertionError(tensor + " of " + HeaderMutator.describe(bytes));
      }
      at = tensor.end();
    }
    if (header.dataStart() + at != bytes.length) {
      throw new AssertionError("tensors end at " + at + " of " + HeaderMutator.describe(bytes));
    }
    return true;
  }

  private static void overwrite(Path path, byte[] bytes) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      channel.write(ByteBuffer.wrap(bytes));
    }
  }
}
