import ArgumentParser
import Experiments
import Foundation
import Reports

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Search for the recipe that the paper does not state.",
    discussion: """
      Epochs, augmentation, normalization and initialization are not in the paper. Each candidate \
      is the config with one thing changed, or several; all are trained on three vanilla cells of \
      Tables 1 and 3-6, the half that comes nearest on seven, the nearest of those on all. \
      Excited cells are never looked at: excite reproduce compares them afterwards. Runs that the \
      store has are not repeated, and a stopped search goes on where it was.

      Examples:
        excite calibrate --dry-run
        excite calibrate --try epochs=200,400 --try schedule.per=step --rounds 2
        excite calibrate --set epochs=400 --try model.hidden_layers=4
        excite calibrate --try 'model.hidden_layers=3 epochs=300'
      """)

  @Argument(
    help: ArgumentHelp(
      "The config of the base recipe; by default \(Calibration.standardPath).",
      valueName: "config"),
    completion: .experiments)
  var config: String?

  @Option(
    name: .customLong("try"),
    help: ArgumentHelp(
      "Values to try for a key, one at a time; may be repeated. By default: "
        + Calibration.openChoices.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " "),
      valueName: "key.path=a,b"))
  var choices: [String] = []

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change a value for all; may be repeated.", valueName: "key.path=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp("Stop after so many rounds.", valueName: "n"))
  var rounds: Int?

  @OptionGroup var options: ExperimentOptions

  mutating func validate() throws {
    if let rounds, rounds < 1 { throw ValidationError("--rounds \(rounds): give 1 or more") }
    let problems = [
      (options.slurm.isOn, "--slurm: each round needs the results of the one before"),
      (options.shard != nil, "--shard: each round needs all results of the one before"),
      (options.variants != nil, "--variants: only vanilla is trained here"),
      (options.initialWeights != nil, "--from: runs start from their seeds' own weights"),
      (
        options.format == .latex,
        "--format latex: not for calibrate, which has table, markdown, csv and json"
      ),
    ]
    if let problem = problems.first(where: \.0) { throw ValidationError(problem.1) }
  }

  func run() throws {
    do throws(RunnerError) {
      let calibration = try Calibration(
        path: config, choices: choices.isEmpty ? Calibration.openChoices : choices,
        overrides: options.overrides(set: set))
      if let warning = try calibration.warning() { writeToStandardError("note: \(warning)\n") }
      let count = min(rounds ?? .max, calibration.rounds.count)
      if options.dryRun {
        try printPlan(calibration, rounds: count)
      } else {
        try search(calibration, rounds: count)
      }
    } catch {
      throw Failure.exit(error)
    }
  }

  private func search(_ calibration: Calibration, rounds count: Int) throws(RunnerError) {
    let all = calibration.rounds.count
    var candidates = calibration.candidates
    var done: [CalibrationRound] = []
    var stop: ExitCode?
    for round in 0..<count where stop == nil {
      let trained = try options.train(try calibration.experiment(candidates, round: round))
      let ranked = try calibration.ranked(candidates, round: round, in: RunStore(options.out))
      let result = CalibrationRound(
        round + 1, cells: calibration.rounds[round], scores: ranked.map(\.score))
      done.append(result)
      switch options.format {
      case .table: show(result.text())
      case .markdown: show(result.text(isMarkdown: true))
      default: break
      }
      stop = options.stop(after: trained)
      candidates = ranked.map(\.candidate)
      if round + 1 < count {
        candidates = Array(candidates.prefix(calibration.survivors(of: round + 1)))
      }
    }
    switch options.format {
    case .json: show(calibrationJSON(done, of: all))
    case .csv: show(calibrationCSV(done))
    default: if stop == nil, let last = done.last { show(last.conclusion(of: all)) }
    }
    if let stop { Self.exit(withError: stop) }
  }

  private func show(_ text: String) {
    if let code = writeToStandardOutput(text) { Self.exit(withError: code) }
  }

  /// Which candidate gets how far is not known beforehand, so runs are counted as if each passed in
  /// the order given.
  private func printPlan(_ calibration: Calibration, rounds: Int) throws(RunnerError) {
    var runs: [PlannedRun] = []
    for round in 0..<rounds {
      let candidates = calibration.candidates.prefix(calibration.survivors(of: round))
      let needed = try calibration.experiment(Array(candidates), round: round).runs
      let new = needed.filter { !runs.contains($0) }
      runs += new
      let cells = calibration.rounds[round].count
      print(
        "round \(round + 1): \(candidates.count) candidate\(candidates.count == 1 ? "" : "s"), "
          + "\(cells) vanilla cell\(cells == 1 ? "" : "s"), \(new.count) runs more")
    }
    let images = ImagesAtHand(for: runs, in: options.dataDirectory)
    print(
      planLine(
        of: runs, jobs: options.jobCount, images: images, kept: options.keptRuns))
    for candidate in calibration.candidates { print("  \(candidate.name)") }
  }
}
