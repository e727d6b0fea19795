import ArgumentParser
import Datasets
import Experiments
import Foundation
import Reports
import Tensors

extension ReportFormat: ExpressibleByArgument {}

enum FailurePolicy: String, EnumerableFlag {
  case keepGoing, failFast
}

/// A part of an experiment's runs, as `2/3`.
struct Shard {
  /// From 0.
  let index: Int
  let of: Int

  init(argument: String) throws {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let number = parts[0], let of = parts[1], number >= 1, number <= of
    else {
      throw ValidationError("expected a part and how many there are, as 2/4, from 1/4 to 4/4")
    }
    index = number - 1
    self.of = of
  }
}

/// What `run` and `sweep` share: the flags, and carrying the experiment out.
struct ExperimentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seeds, as 0,1,2 or 0-4.", valueName: "list"))
  var seeds: String?

  @Option(
    help: ArgumentHelp("Variants of Φ, as vanilla,zero-sum.", valueName: "list"),
    completion: .variants)
  var variants: String?

  @Option(help: ArgumentHelp("Runs at once; all cores by default. Fewer runs have threads each."))
  var jobs: Int?

  @Option(
    help: ArgumentHelp(
      "Where the data sets are; else EXCITE_DATA, else the cache folder.", valueName: "dir"),
    completion: .directory)
  var dataDir: String?

  @Option(
    help: ArgumentHelp(
      "The store of runs and experiments; what it has is not repeated.", valueName: "dir"),
    completion: .directory)
  var out = RunStore.standardDirectory

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

  @Flag(help: "Repeat all runs, also those that the store has.")
  var fresh = false

  @Flag(help: "Repeat the runs that failed.")
  var retryFailed = false

  @Flag(help: "When a run fails: go on with the others, or stop them all.")
  var policy = FailurePolicy.keepGoing

  @Option(
    help: ArgumentHelp(
      "Do the i-th of n equal parts of the runs, i from 1; the others are left to others.",
      valueName: "i/n"),
    transform: Shard.init)
  var shard: Shard?

  @Option(
    help: ArgumentHelp(
      "Work that a killed process may lose, at most; epochs are kept beside that.",
      valueName: "seconds"))
  var checkpointSeconds = 20.0

  @Flag(
    name: .customLong("tensorboard"), help: "Keep a TensorBoard event file in each run's folder.")
  var tensorBoard = false

  @Flag(
    inversion: .prefixedNo,
    help: "Measure specialization, entropy and load of each expert layer, as experts.csv.")
  var expertMetrics = true

  @Flag(help: "No progress on standard error.")
  var quiet = false

  @OptionGroup var slurm: SlurmOptions

  mutating func validate() throws {
    if let jobs { try checkThreads(jobs, flag: "--jobs") }
    if !(checkpointSeconds >= 0 && checkpointSeconds.isFinite) {
      throw ValidationError("--checkpoint-seconds \(checkpointSeconds): give 0 or more")
    }
    guard slurm.isOn else { return }
    if shard != nil { throw ValidationError("--slurm makes the parts; leave --shard out") }
    if fresh {
      throw ValidationError(
        "--slurm with --fresh would begin anew whenever a task is continued; give another --out")
    }
  }

  /// The flags as changes to an experiment.
  func overrides(set: [String], axes: [SweepAxis] = []) -> ConfigOverrides {
    ConfigOverrides(
      set: set, axes: axes, seeds: seeds, variants: variants, maxSteps: maxSteps, order: order)
  }

  /// Runs the experiment and prints its table.
  func carryOut(_ experiment: ExperimentConfig) throws {
    do throws(RunnerError) {
      if slurm.isOn || dryRun {
        try plan(experiment)
        return
      }
      let done = try train(experiment)
      // Shown before it is kept: a full disk must not swallow it.
      if let code = writeToStandardOutput(render(done.table, format: format, style: outputStyle()))
      {
        Self.exit(withError: code)
      }
      try keep(done)
      if let stop = stop(after: done) { Self.exit(withError: stop) }
      if done.outcomes.contains(where: \.status.isFailure) {
        Self.exit(withError: Failure.failedRun)
      }
    } catch {
      throw Failure.exit(error)
    }
  }

  /// Hands the experiment to Slurm, or prints what would be done.
  func plan(_ experiment: ExperimentConfig) throws(RunnerError) {
    if slurm.isOn {
      try submit(experiment)
    } else {
      printPlan(experiment, jobs: jobCount, data: dataDirectory, kept: keptRuns)
      try checkMemory(experiment)
    }
  }

  /// Refuses what this machine's memory cannot hold.
  func checkMemory(_ experiment: ExperimentConfig) throws(RunnerError) {
    try Experiments.checkMemory(of: experiment.runs, jobs: jobCount)
  }

  /// The finished runs that are not repeated; none where all are, or start from other weights.
  var keptRuns: KeptRuns {
    KeptRuns(fresh || initialWeights != nil ? nil : RunStore(out), data: dataDirectory)
  }

  var dataDirectory: URL {
    DataDirectory.resolve(flag: dataDir, environment: ProcessInfo.processInfo.environment)
  }

  var jobCount: Int { jobs ?? ProcessInfo.processInfo.activeProcessorCount }

  /// What an experiment left.
  struct Trained {
    let table: AccuracyTable
    let outcomes: [RunOutcome]
    let folder: String
    /// What to exit with if runs are left; nil while nobody asked to stop.
    let stop: ExitCode?
  }

  /// Does the runs that the store does not have.
  func train(_ experiment: ExperimentConfig) throws(RunnerError) -> Trained {
    let environment = try EnvironmentRecord.current(jobs: jobCount)
    let initial = try readInitialWeights()
    let store = RunStore(out)
    var options = RunnerOptions(
      jobs: jobCount, store: store, saveDirectory: save,
      dataDirectory: dataDirectory,
      initial: initial)
    options.fresh = fresh
    options.retryFailed = retryFailed
    options.failFast = policy == .failFast
    options.checkpointSeconds = checkpointSeconds
    options.expertMetrics = expertMetrics
    options.tensorBoard = tensorBoard
    options.shard = shard.map { ($0.index, $0.of) }
    let stored = experiment.stored(
      command: Self.command, environment: environment, initial: initial)
    let name = experiment.storeName(initial: initial)
    // Before the first use of Dispatch, which waits for ever for a thread that a limit denies it.
    try checkMemory(experiment)
    let runner = Runner(experiment, options: options, environment: environment)
    let stop = StopRequest.shared
    let progress = ProgressPrinter(isQuiet: quiet)
    if let warning = try? BLAS.load().coreWarning { progress.note(warning) }
    let outcomes = try runner.run(
      onStart: { () throws(RunnerError) in try store.keep(stored, as: name) },
      onProgress: progress.show, onNote: progress.note, shouldStop: { stop.isSet })
    progress.clear()
    let isIdle = stop.code == Failure.toBeContinued && !runner.hasProgressed
    return Trained(
      table: try accuracyTable(stored, outcomes: outcomes), outcomes: outcomes,
      folder: store.folder(of: name), stop: isIdle ? Failure.idle : stop.code)
  }

  /// Keeps the table; a part is not the experiment's, `excite report` makes that from all parts.
  func keep(_ done: Trained) throws(RunnerError) {
    if shard == nil { try writeResults(done.table, to: done.folder) }
    if !quiet {
      writeToStandardError(
        "note: kept in \(done.folder); to print it again: excite report \(shellWord(done.folder))\n"
      )
    }
  }

  /// Says how many runs failed or were left.
  /// - Returns: what to exit with where someone asked to stop before the end; else nil.
  func stop(after done: Trained) -> ExitCode? {
    let count = done.outcomes.count
    let failed = done.outcomes.count(where: \.status.isFailure)
    let interrupted = done.outcomes.count { $0.status == .interrupted }
    if let stop = done.stop, interrupted > 0 {
      writeToStandardError(
        "interrupted: \(count - interrupted - failed) of \(count) runs finished; "
          + (stop == Failure.idle
            ? "no step was done before the signal came\n" : "the same command goes on from here\n"))
      return stop
    }
    if failed > 0 { printError("\(failed) of \(count) runs failed") }
    return nil
  }

  func readInitialWeights() throws(RunnerError) -> SafetensorsFile? {
    try initialWeights.map { path throws(RunnerError) in try weightsFile(path) }
  }

  /// The command line as typed, quoted where a shell needs it, less what says who does which part.
  static var command: String {
    (["excite"] + SlurmOptions.arguments(without: ["--shard"])).map(shellWord)
      .joined(separator: " ")
  }
}
