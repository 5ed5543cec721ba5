package dev.quern.pipeline.calibration;

import java.util.List;

/**
 * What a calibration did.
 *
 * @param solves one for each matrix, or matrices solved as one, in the order of the model
 * @param warnings what the user should know, a sentence each
 */
public record CalibrationOutcome(List<SolveReport> solves, List<String> warnings) {
  /** Copies the lists. */
  public CalibrationOutcome {
    solves = List.copyOf(solves);
    warnings = List.copyOf(warnings);
  }
}
