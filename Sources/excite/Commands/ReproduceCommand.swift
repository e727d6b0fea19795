import ArgumentParser
import Experiments
import Foundation
import Reports

struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Make tables and figures of the paper: our numbers beside the published ones.",
    discussion: """
      Under each table stands which of the paper's claims hold, judged by 95 % intervals over \
      seeds. Figures are drawn into the store, as SVG and PNG. Runs that the store has are not \
      repeated, whichever table they were made for.

      \(list)

      Examples:
        excite reproduce table1 --quick
        excite reproduce table3 table4 --jobs 2
        excite reproduce all --dry-run
        excite reproduce all --no-train --page REPRODUCTION.md
      """)

  /// What can be made, a line each.
  private static var list: String {
    let lines = PaperArtifact.all.map { ($0.name, $0.title) } + [("all", "everything above")]
    let width = 2 + (lines.map(\.0.count).max() ?? 0)
    return lines.map { "  " + $0.0.padding(toLength: width, withPad: " ", startingAt: 0) + $0.1 }
      .joined(separator: "\n")
  }

  @Argument(
    help: ArgumentHelp("Which tables and figures, or all.", valueName: "name"),
    completion: .list(Self.known))
  var names: [String]

  @Flag(
    help: """
      One seed and fewer epochs, under ten minutes for each on 2 cores; under twenty, on a part of \
      the images, for vision transformers; under thirty, small and on embedded text, for language \
      models.
      """)
  var quick = false

  @Flag(
    name: .customLong("no-train"),
    help: """
      Train nothing; show what the store has of the full version and, where that is complete, of \
      the one with more seeds, else of the quick one.
      """)
  var noTrain = false

  @Option(
    help: ArgumentHelp(
      "Write it all as one page of Markdown, its figures in a folder beside it.",
      valueName: "file.md"))
  var page: String?

  @Option(
    help: ArgumentHelp("Where the paper's experiments are, else configs/paper.", valueName: "dir"),
    completion: .directory)
  var configs: String?

  @OptionGroup var options: ExperimentOptions

  private static let known = PaperArtifact.all.map(\.name) + ["all"]

  /// Each once.
  private var artifacts: [PaperArtifact] {
    names.contains("all")
      ? PaperArtifact.all : distinct(names).compactMap(PaperArtifact.named)
  }

  mutating func validate() throws {
    if let unknown = names.first(where: { !Self.known.contains($0) }) {
      var guess = PaperArtifact.nearest(to: unknown).map { "; did you mean \($0)?" } ?? ""
      if unknown == "table8" { guess = "; it is made by excite bench overhead" }
      if unknown.contains("=") { guess = "; --set is for excite run configs/paper/NAME.yaml" }
      throw ValidationError("\(unknown): not one of \(Self.known.joined(separator: ", "))\(guess)")
    }
    if options.slurm.isOn, artifacts.flatMap(\.configs).count > 1 {
      throw ValidationError(
        "--slurm makes an array job of one experiment; \(names.joined(separator: " ")) has several")
    }
    if options.initialWeights != nil {
      throw ValidationError("--from: the paper's runs start from their seeds' own weights")
    }
  }

  func run() throws {
    do throws(RunnerError) {
      var plans: [PaperPlan] = []
      for artifact in artifacts { plans.append(try plan(artifact, isQuick: quick)) }
      if options.slurm.isOn {
        for experiment in plans.flatMap(\.experiments) { try options.plan(experiment) }
      } else if options.dryRun {
        printPlans(
          plans, jobs: options.jobCount, data: options.dataDirectory, kept: options.keptRuns)
        try checkMemory(plans)
      } else {
        try make(plans)
      }
    } catch {
      throw Failure.exit(error)
    }
  }

  /// Says which of several experiments this machine cannot hold; of one alone it is an error.
  private func checkMemory(_ plans: [PaperPlan]) throws(RunnerError) {
    let isAlone = plans.flatMap(\.experiments).count == 1
    for plan in plans {
      for experiment in plan.experiments {
        do throws(RunnerError) { try options.checkMemory(experiment) } catch {
          if isAlone { throw error }
          writeToStandardError("note: \(plan.artifact.name): \(error.description)\n")
        }
      }
    }
  }

  /// Does the runs, then prints, draws and writes what the store has by then.
  private func make(_ plans: [PaperPlan]) throws(RunnerError) {
    let page = try page.map { path throws(RunnerError) in try ReproductionPage(path) }
    let isAlone = plans.flatMap(\.experiments).count == 1
    var done: [PaperReproduction] = []
    var hasFailures = false
    var stop: ExitCode?
    for plan in plans where stop == nil {
      if !noTrain {
        let trained = try train(plan, isAlone: isAlone)
        hasFailures = hasFailures || trained.hasFailures
        stop = trained.stop
      }
      for reproduction in try reproductions(of: plan) {
        done.append(reproduction)
        if !isOneDocument { show([reproduction]) }
        for path in try reproduction.draw(in: reproduction.pictureFolder) {
          writeToStandardError("wrote \(path)\n")
        }
      }
    }
    if isOneDocument { show(done) }
    if let stop { Self.exit(withError: stop) }
    if let page {
      try page.write(done, in: RunStore(options.out), command: ExperimentOptions.command)
      writeToStandardError("wrote \(page.path)\n")
    }
    if hasFailures { Self.exit(withError: Failure.failedRun) }
  }

  /// The full version and, where nothing is to be trained, what else the store has: beside a complete
  /// one that with more seeds, beside another the quick one, as far as either has been begun; a page
  /// tells of the full one also what it would take.
  private func reproductions(of plan: PaperPlan) throws(RunnerError) -> [PaperReproduction] {
    let full = try fromStore(plan)
    guard noTrain, !quick else { return [full] }
    if full.finishedShare == 1 {
      let areGiven = options.overrides(set: []).seeds != nil
      let several = areGiven ? nil : try whole(plan.artifact, seeds: plan.moreSeeds)
      return [full, several].compactMap(\.self)
    }
    let quick = try quickFromStore(plan)
    if quick.finishedShare == 0 { return [full] }
    return full.finishedShare == 0 && page == nil ? [quick] : [full, quick]
  }

  /// The quick version with the full one's seeds where the store has all of that, else as it is.
  private func quickFromStore(_ full: PaperPlan) throws(RunnerError) -> PaperReproduction {
    let quick = try plan(full.artifact, isQuick: true)
    if quick.seeds != full.seeds,
      let several = try whole(full.artifact, isQuick: true, seeds: full.seeds)
    {
      return several
    }
    return try fromStore(quick)
  }

  /// The version with these seeds, nil where the store does not have all of it.
  private func whole(
    _ artifact: PaperArtifact, isQuick: Bool = false, seeds: String?
  ) throws(RunnerError) -> PaperReproduction? {
    var overrides = options.overrides(set: [])
    overrides.seeds = seeds
    let reproduction = try fromStore(
      PaperPlan(artifact, in: configs, isQuick: isQuick, overrides: overrides))
    return reproduction.finishedShare == 1 ? reproduction : nil
  }

  private func fromStore(_ plan: PaperPlan) throws(RunnerError) -> PaperReproduction {
    try PaperReproduction(
      plan, in: RunStore(options.out),
      environment: try EnvironmentRecord.current(jobs: options.jobCount))
  }

  private func plan(_ artifact: PaperArtifact, isQuick: Bool) throws(RunnerError) -> PaperPlan {
    try PaperPlan(artifact, in: configs, isQuick: isQuick, overrides: options.overrides(set: []))
  }

  /// Formats for programs, which read one document.
  private var isOneDocument: Bool { options.format == .json || options.format == .csv }

  private func show(_ done: [PaperReproduction]) {
    let text = Reports.text(
      of: done.map { $0.report() }, format: options.format, style: outputStyle())
    if let code = writeToStandardOutput(text) { Self.exit(withError: code) }
  }

  /// Does the runs that the store does not have.
  /// - Parameter isAlone: where it is not, a data set that is not there, or memory that cannot hold a
  ///   run, stops its panel alone.
  /// - Returns: whether some failed, and what to exit with where someone asked to stop.
  private func train(
    _ plan: PaperPlan, isAlone: Bool
  ) throws(RunnerError) -> (hasFailures: Bool, stop: ExitCode?) {
    var hasFailures = false
    for experiment in plan.experiments {
      do throws(RunnerError) {
        let trained = try options.train(experiment)
        try options.keep(trained)
        hasFailures = hasFailures || trained.outcomes.contains(where: \.status.isFailure)
        if let stop = options.stop(after: trained) { return (hasFailures, stop) }
      } catch {
        switch error {
        case .dataset where !isAlone, .text where !isAlone, .tooLarge where !isAlone: break
        default: throw error
        }
        printError("\(plan.artifact.name): \(error.description)")
        hasFailures = true
      }
    }
    return (hasFailures, nil)
  }
}
