/**
 * Calibration data: from a user's file to the token ids that a model is run on.
 *
 * <p>{@link dev.quern.formats.calibration.CalibrationData} is the way in, {@link
 * dev.quern.formats.calibration.CalibrationSet} the way out. Between them a {@code RecordSource}
 * reads one kind of file record by record, {@code Records} turns a record into checked ids, and
 * {@code Selection} keeps those that are chosen, in memory for the chosen ones alone.
 *
 * <p>No sample is ever padded. Padding that a file marks by {@code attention_mask} is cut off, so
 * no statistic ever sees any.
 *
 * <p>Same file, same model, same options: same ids, on any machine.
 */
package dev.quern.formats.calibration;
