import Foundation
import Reports

/// Gathers the outcomes of an experiment into its table.
public func accuracyTable(
  _ stored: StoredExperiment, outcomes: [RunOutcome]
) throws(RunnerError) -> AccuracyTable {
  do {
    return try AccuracyTable.build(
      experiment: stored.experiment, environment: stored.environment, outcomes: outcomes)
  } catch {
    throw .report(error)
  }
}

/// Keeps an experiment's table as `results.json`.
public func writeResults(_ table: AccuracyTable, to directory: String) throws(RunnerError) {
  let json = render(table, format: .json, style: TerminalStyle(color: false))
  try writeFile(json, to: "\(directory)/results.json")
}
