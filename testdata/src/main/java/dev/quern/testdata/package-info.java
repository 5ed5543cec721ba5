/**
 * What tests of all modules need: the way to the files in {@code testdata/}, and writers of
 * checkpoints that no proper writer makes.
 *
 * <p>{@link dev.quern.testdata.TestData} finds {@code testdata/golden} (files that the reference
 * implementations wrote) and {@code testdata/models} (small trained models); each folder has a
 * README with the origin of its files. {@link dev.quern.testdata.RawSafetensors} writes a file from
 * the raw text of its header, right or wrong.
 *
 * <p>Used by tests only. Nothing here knows how the product reads or writes a file, so that a test
 * is not judged by the code that it tests.
 */
package dev.quern.testdata;
