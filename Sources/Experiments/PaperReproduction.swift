import Foundation
import Plots
import Reports

/// A table or figure of the paper, from what a store holds by now.
public struct PaperReproduction: Sendable {
  let artifact: PaperArtifact
  let isQuick: Bool
  private let experiments: [ExperimentConfig]
  private let store: RunStore
  private let table: AccuracyTable
  private let curves: [RunCurve]
  private let expertCurves: [ExpertCurve]
  private let runsOver: Int
  private let runs: Int

  /// - Parameters:
  ///   - command: what makes it again.
  ///   - environment: of runs that another process left no record of.
  /// - Throws: `.report`.
  public init(
    _ artifact: PaperArtifact, experiments: [ExperimentConfig], in store: RunStore,
    command: String, environment: EnvironmentRecord, isQuick: Bool
  ) throws(RunnerError) {
    self.artifact = artifact
    self.isQuick = isQuick
    self.experiments = experiments
    self.store = store
    let stored = experiments.map { experiment in
      let known = try? store.experiment(experiment.storeName(initial: nil))
      return experiment.stored(
        command: command, environment: known?.environment ?? environment, initial: nil)
    }
    let outcomes = stored.flatMap { store.outcomes(of: $0) }
    curves = stored.flatMap { store.curves(of: $0) }
    expertCurves = stored.flatMap { store.expertCurves(of: $0) }
    runs = outcomes.count
    runsOver = outcomes.count { $0.status != .interrupted }
    let records = stored.map(\.experiment)
    let record = ExperimentRecord(
      name: artifact.title + (isQuick ? " (quick)" : ""), header: [], command: command,
      config: records.map(\.config).joined(separator: "---\n"),
      seeds: distinct(records.flatMap(\.seeds)), variants: distinct(records.flatMap(\.variants)),
      notes: artifact.figure == .toyProblem ? [ToyProblem.note] : distinct(records.flatMap(\.notes))
    )
    do {
      table = try AccuracyTable.build(
        experiment: record, environment: stored.first?.environment ?? environment,
        outcomes: outcomes)
    } catch {
      throw .report(error)
    }
  }

  /// - Parameter picture: the path of its picture from the page, if there is one.
  public func report(picture: String? = nil) -> Reproduction {
    Reproduction(
      table: table, experts: expertCurves, claims: artifact.claims, runsOver: runsOver, runs: runs,
      minutes: isQuick ? [] : experiments.compactMap(\.minutes), picture: picture)
  }

  /// Draws the picture as SVG and PNG.
  /// - Returns: the paths of the two files; none where no run has begun.
  /// - Throws: `.plot`, `.unwritable`.
  public func draw(in folder: String) throws(RunnerError) -> [String] {
    guard runs == 0 || curves.contains(where: { !$0.points.isEmpty }) else { return [] }
    let title = table.experiment.name
    let drawing =
      switch artifact.figure {
      case .curves: figure(.curves, of: table, curves: curves, metrics: [.testAccuracy])
      case .bars: figure(.bars, of: table)
      case .specialization: expertDepthFigure(expertCurves, title: title)
      case .entropy: expertCourseFigure(expertCurves, title: title)
      case .toyProblem: ToyProblem.figure(title: title)
      }
    try prepareFolder(folder)
    return try write(drawing, to: "\(folder)/\(artifact.name)\(isQuick ? "-quick" : "")")
  }

  /// Where pictures lie that belong to no page.
  public var pictureFolder: String { "\(store.directory)/paper" }
}

/// Writes a page of reproductions, their pictures in the folder `figures` beside it.
/// - Throws: `.plot`, `.unwritable`.
public func writePage(
  _ reproductions: [PaperReproduction], command: String, to path: String
) throws(RunnerError) {
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  var reports: [Reproduction] = []
  for reproduction in reproductions {
    let files = try reproduction.draw(in: "\(folder)/figures")
    let picture = files.first.map { "figures/\(URL(fileURLWithPath: $0).lastPathComponent)" }
    reports.append(reproduction.report(picture: picture))
  }
  try writeFile(reproductionPage(reports, command: command), to: path)
}

extension ExperimentConfig {
  /// What the config's header says of its duration.
  var minutes: String? {
    let label = "minutes on 2 cores: "
    return header.first { $0.hasPrefix(label) }.map { String($0.dropFirst(label.count)) }
  }
}
