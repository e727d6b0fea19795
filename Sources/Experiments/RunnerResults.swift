import Foundation
import Reports

/// Gathers the outcomes of an experiment into its table.
public func accuracyTable(
  _ experiment: ExperimentConfig, command: String, environment: EnvironmentRecord,
  outcomes: [RunOutcome]
) throws(RunnerError) -> AccuracyTable {
  do {
    return try AccuracyTable.build(
      experiment: experiment.record(command: command), environment: environment,
      outcomes: outcomes)
  } catch {
    throw .report(error)
  }
}

/// Keeps an experiment's table as `results.json`, and its config as `experiment.yaml`.
public func writeResults(_ table: AccuracyTable, to directory: String) throws(RunnerError) {
  let json = render(table, format: .json, style: TerminalStyle(color: false))
  try writeFile(json, to: "\(directory)/results.json")
  try writeFile(table.experiment.config, to: "\(directory)/experiment.yaml")
}
