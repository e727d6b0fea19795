import Foundation
import Reports

/// Gathers the outcomes of an experiment into its table, with what a reader must know of them.
public func accuracyTable(
  _ stored: StoredExperiment, outcomes: [RunOutcome]
) throws(RunnerError) -> AccuracyTable {
  try accuracyTable(stored.experiment, stored.environment, outcomes: outcomes)
}

func accuracyTable(
  _ experiment: ExperimentRecord, _ environment: EnvironmentRecord, outcomes: [RunOutcome]
) throws(RunnerError) -> AccuracyTable {
  var experiment = experiment
  experiment.notes += notes(on: outcomes, madeOn: environment)
  do {
    return try AccuracyTable.build(
      experiment: experiment, environment: environment, outcomes: outcomes)
  } catch {
    throw .report(error)
  }
}

/// Keeps an experiment's table as `results.json`.
public func writeResults(_ table: AccuracyTable, to directory: String) throws(RunnerError) {
  let json = render(table, format: .json, style: TerminalStyle(color: false))
  try writeFile(json, to: "\(directory)/results.json")
}
