package dev.quern.formats.calibration;

/** A file, read record by record. */
interface RecordSource extends AutoCloseable {
  /** The next record, or null at the end. */
  CalibrationRecord next();

  @Override
  void close();
}
