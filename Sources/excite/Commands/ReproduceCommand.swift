import ArgumentParser
import Experiments
import Foundation
import Reports

struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Make tables and figures of the paper: our numbers beside the published ones.",
    discussion: """
      Under each table stands which of the paper's claims hold, judged by 95 % intervals over seeds.
      Figures lie beside the table in the store, as SVG and PNG. Runs that the store has are not
      repeated, whichever table they were made for.

      \(PaperArtifact.all.map { "  \($0.name)\(String(repeating: " ", count: 8 - $0.name.count))\($0.title)" }.joined(separator: "\n"))
        all     everything above

      Examples:
        excite reproduce table1 --quick
        excite reproduce table3 table4 --jobs 2
        excite reproduce all --dry-run
        excite reproduce all --no-train --page REPRODUCTION.md
      """)

  @Argument(
    help: ArgumentHelp("Which tables and figures, or all.", valueName: "name"),
    completion: .list(PaperArtifact.all.map(\.name) + ["all"]))
  var names: [String]

  @Flag(
    help: """
      One seed and fewer epochs, under ten minutes for each on 2 cores; under twenty, on a part of \
      the images, for transformers.
      """)
  var quick = false

  @Flag(name: .customLong("no-train"), help: "Show what the store has; train nothing.")
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

  private var artifacts: [PaperArtifact] {
    names.contains("all") ? PaperArtifact.all : names.compactMap(PaperArtifact.named)
  }

  mutating func validate() throws {
    if options.slurm.isOn, artifacts.flatMap(\.configs).count > 1 {
      throw ValidationError(
        "--slurm makes an array job of one experiment; \(names.joined(separator: " ")) has several")
    }
    let known = PaperArtifact.all.map(\.name) + ["all"]
    guard let unknown = names.first(where: { !known.contains($0) }) else { return }
    throw ValidationError("\(unknown): not one of \(known.joined(separator: ", "))")
  }

  func run() throws {
    do throws(RunnerError) {
      let folder = try PaperArtifact.configFolder(configs)
      var done: [PaperReproduction] = []
      var hasFailures = false
      for artifact in artifacts {
        let experiments: [ExperimentConfig]
        do {
          experiments = try artifact.experiments(
            in: folder, isQuick: quick, overrides: options.overrides(set: []))
        } catch {
          throw .config(error)
        }
        if options.slurm.isOn || options.dryRun {
          for experiment in experiments { try options.plan(experiment) }
          continue
        }
        if !noTrain { hasFailures = try train(experiments) || hasFailures }
        done.append(try show(artifact, experiments))
      }
      if let page, !done.isEmpty {
        try writePage(done, command: ExperimentOptions.command, to: page)
        writeToStandardError("wrote \(page)\n")
      }
      if hasFailures { Self.exit(withError: Failure.failedRun) }
    } catch {
      throw Failure.exit(error)
    }
  }

  /// Does the runs that the store does not have; ends the process where someone asks to stop.
  /// - Returns: whether some failed.
  private func train(_ experiments: [ExperimentConfig]) throws(RunnerError) -> Bool {
    var hasFailures = false
    for experiment in experiments {
      let trained = try options.train(experiment)
      try options.keep(trained)
      if let stop = options.stop(after: trained) { Self.exit(withError: stop) }
      hasFailures = hasFailures || trained.outcomes.contains(where: \.status.isFailure)
    }
    return hasFailures
  }

  /// Prints what the store has by now and draws the picture.
  private func show(
    _ artifact: PaperArtifact, _ experiments: [ExperimentConfig]
  ) throws(RunnerError) -> PaperReproduction {
    let reproduction = try PaperReproduction(
      artifact, experiments: experiments, in: RunStore(options.out),
      command: "excite reproduce \(artifact.name)" + (quick ? " --quick" : ""),
      environment: try EnvironmentRecord.current(jobs: options.jobCount), isQuick: quick)
    let text = reproduction.report().text(format: options.format, style: outputStyle())
    if let code = writeToStandardOutput(text) { Self.exit(withError: code) }
    for path in try reproduction.draw(in: reproduction.pictureFolder) {
      writeToStandardError("wrote \(path)\n")
    }
    return reproduction
  }
}
