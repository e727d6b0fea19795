import ArgumentParser
import Datasets
import Experiments
import Foundation
import Reports
import Tensors

extension ReportFormat: ExpressibleByArgument {}

/// What `run` and `sweep` share: the flags, and carrying the experiment out.
struct ExperimentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seeds, as 0,1,2 or 0-4.", valueName: "list"))
  var seeds: String?

  @Option(
    help: ArgumentHelp("Variants of Φ, as vanilla,zero-sum.", valueName: "list"),
    completion: .variants)
  var variants: String?

  @Option(help: ArgumentHelp("Runs at once, one thread each; all cores by default."))
  var jobs: Int?

  @Option(
    help: ArgumentHelp(
      "Where the data sets are; else EXCITE_DATA, else the cache folder.", valueName: "dir"),
    completion: .directory)
  var dataDir: String?

  @Option(
    help: ArgumentHelp("Folder for run files; results/NAME by default.", valueName: "dir"),
    completion: .directory)
  var out: String?

  @Option(help: "How the table is printed: table, markdown, csv, json or latex.")
  var format: ReportFormat = .table

  @Option(help: ArgumentHelp("Stop every run after so many steps.", valueName: "n"))
  var maxSteps: String?

  @Option(
    name: .customLong("from"),
    help: ArgumentHelp("Start every run from these weights.", valueName: "file.safetensors"),
    completion: .weights)
  var initialWeights: String?

  @Option(
    help: ArgumentHelp("Keep final weights as DIR/RUN/final.safetensors.", valueName: "dir"),
    completion: .directory)
  var save: String?

  @Option(help: "Order of the training records: shuffled or sequential.", completion: .orders)
  var order: String?

  @Flag(help: "Print the resolved experiment, its runs and how long they may take; run nothing.")
  var dryRun = false

  @Flag(help: "No progress on standard error.")
  var quiet = false

  mutating func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs \(jobs): give 1 or more") }
  }

  /// The flags as changes to an experiment.
  func overrides(set: [String], axes: [SweepAxis] = []) -> ConfigOverrides {
    ConfigOverrides(
      set: set, axes: axes, seeds: seeds, variants: variants, maxSteps: maxSteps, order: order)
  }

  /// Runs the experiment and prints its table.
  func carryOut(_ experiment: ExperimentConfig) throws {
    if dryRun {
      printPlan(experiment, jobs: jobs ?? ProcessInfo.processInfo.activeProcessorCount)
      return
    }
    do throws(RunnerError) {
      let jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
      let environment = try EnvironmentRecord.current(jobs: jobs)
      let directory = out ?? "results/\(experiment.name)"
      let options = RunnerOptions(
        jobs: jobs, outDirectory: directory, saveDirectory: save,
        dataDirectory: DataDirectory.resolve(
          flag: dataDir, environment: ProcessInfo.processInfo.environment),
        initial: try readInitialWeights())
      let stop = StopRequest()
      let progress = ProgressPrinter(isQuiet: quiet)
      let outcomes = try Runner(experiment, options: options).run(
        onProgress: progress.show, shouldStop: { stop.isSet })
      progress.clear()
      try finish(
        experiment, environment: environment, outcomes: outcomes, directory: directory,
        wasStopped: stop.isSet)
    } catch {
      throw Failure.exit(error)
    }
  }

  private func finish(
    _ experiment: ExperimentConfig, environment: EnvironmentRecord, outcomes: [RunOutcome],
    directory: String, wasStopped: Bool
  ) throws(RunnerError) {
    let table = try accuracyTable(
      experiment, command: Self.command, environment: environment, outcomes: outcomes)
    // Shown before it is kept: a full disk must not swallow it.
    if let code = writeToStandardOutput(render(table, format: format, style: outputStyle())) {
      Self.exit(withError: code)
    }
    try writeResults(table, to: directory)
    let failed = outcomes.filter(\.status.isFailure).count
    let interrupted = outcomes.filter { $0.status == .interrupted }.count
    if wasStopped, interrupted > 0 {
      writeToStandardError(
        "interrupted: \(outcomes.count - interrupted - failed) of \(outcomes.count) runs finished; "
          + "files are in \(directory)\n")
      Self.exit(withError: Failure.interrupted)
    }
    if failed > 0 {
      printError("\(failed) of \(outcomes.count) runs failed")
      Self.exit(withError: Failure.failedRun)
    }
  }

  private func readInitialWeights() throws(RunnerError) -> SafetensorsFile? {
    guard let initialWeights else { return nil }
    do { return try SafetensorsFile(path: initialWeights) } catch {
      throw .training(.checkpoint(error))
    }
  }

  /// The command line as typed, quoted where a shell needs it.
  private static var command: String {
    (["excite"] + CommandLine.arguments.dropFirst()).map { word in
      let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_=./,+:".contains($0) }
      return plain && !word.isEmpty
        ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }.joined(separator: " ")
  }
}
