import Foundation
import Plots
import Reports
import Tensors

/// A table or figure of the paper, from what a store holds by now.
public struct PaperReproduction: Sendable {
  private let plan: PaperPlan
  private let store: RunStore
  private let table: AccuracyTable
  private let curves: [RunCurve]
  private let expertCurves: [ExpertCurve]
  private let counts: RunCounts
  /// Data sets of which the runs had a part.
  private let parts: Set<String>
  /// Seconds that the finished runs trained.
  private let seconds: Double
  /// What a reader must know of the runs.
  private let warnings: [String]

  /// - Parameter environment: of runs that another process left no record of.
  /// - Throws: `.report`.
  public init(
    _ plan: PaperPlan, in store: RunStore, environment: EnvironmentRecord
  ) throws(RunnerError) {
    self.plan = plan
    self.store = store
    let command = plan.command(in: store)
    let stored = plan.experiments.map { experiment in
      let known = try? store.experiment(experiment.storeName(initial: nil))
      return experiment.stored(
        command: command, environment: known?.environment ?? environment, initial: nil)
    }
    let outcomes = stored.flatMap { store.outcomes(of: $0) }
    curves = stored.flatMap { store.curves(of: $0) }
    expertCurves = stored.flatMap { store.expertCurves(of: $0) }
    counts = RunCounts(outcomes)
    let madeOn = stored.first?.environment ?? environment
    warnings = notes(on: outcomes, madeOn: madeOn)
    parts = Set(outcomes.filter(\.hadPartOfTheImages).map(\.setting.dataset))
    let finished = Dictionary(
      outcomes.filter { $0.status == .finished }.map { ($0.label, $0) },
      uniquingKeysWith: { first, _ in first })
    seconds = finished.sorted { $0.key < $1.key }.reduce(0) {
      $0 + Double($1.value.epochs) * ($1.value.secondsPerEpoch ?? 0)
    }
    let records = stored.map(\.experiment)
    let record = ExperimentRecord(
      name: plan.title, header: [], command: command,
      config: records.map(\.config).joined(separator: "---\n"),
      seeds: distinct(records.flatMap(\.seeds)), variants: distinct(records.flatMap(\.variants)),
      notes: plan.artifact.figure == .toyProblem
        ? [ToyProblem.note] : distinct(records.flatMap(\.notes))
    )
    table = try accuracyTable(record, madeOn, outcomes: outcomes)
  }

  /// Of the runs behind it, 0 where it has none.
  public var finishedShare: Double { Double(counts.finished) / Double(max(1, counts.all)) }

  /// - Parameter picture: the path of its picture from the page, if there is one.
  public func report(picture: String? = nil) -> Reproduction {
    Reproduction(
      table: table, experts: expertCurves, claims: plan.artifact.claims, counts: counts,
      parts: parts, moreSeeds: counts.areOver ? plan.commandWithMoreSeeds(in: store) : nil,
      minutes: plan.minutes, trained: seconds / 60, deviations: plan.deviations,
      warnings: warnings, picture: picture)
  }

  /// Draws the picture as SVG and PNG.
  /// - Returns: the paths of the two files; none where no run has begun.
  /// - Throws: `.plot`, `.unwritable`.
  public func draw(in folder: String) throws(RunnerError) -> [String] {
    guard counts.all == 0 || curves.contains(where: { !$0.points.isEmpty }) else { return [] }
    let title = table.experiment.name
    let notes = pictureNotes
    let drawing =
      switch plan.artifact.figure {
      case .curves:
        figure(.curves, of: table, curves: curves, metrics: [.testAccuracy], notes: notes)
      case .scaling: scalingFigure(of: table, notes: configNotes(table) + notes)
      case .bars: figure(.bars, of: table, notes: notes)
      case .specialization:
        expertDepthFigure(expertCurves, title: title, notes: configNotes(table) + notes)
      case .entropy:
        expertCourseFigure(expertCurves, title: title, notes: configNotes(table) + notes)
      case .toyProblem: ToyProblem.figure(title: title)
      }
    try prepareFolder(folder)
    return try write(drawing, to: "\(folder)/\(plan.fileName)")
  }

  private var pictureNotes: [String] {
    (counts.areOver ? [] : [counts.text + "."]) + warnings.map { "\($0)." }
  }

  /// Where pictures lie that belong to no page.
  public var pictureFolder: String { "\(store.directory)/paper" }
}

/// A page of reproductions, `FILE.md`, its pictures in the folder `figures` beside it.
public struct ReproductionPage: Sendable {
  public let path: String
  private let folder: String

  /// Makes the folders, so that hours of training do not end at a page that cannot be written.
  /// - Throws: `.unwritable`.
  public init(_ path: String) throws(RunnerError) {
    self.path = path
    let url = URL(fileURLWithPath: path)
    folder = url.deletingLastPathComponent().path
    do { try prepareFolder("\(folder)/figures") } catch {
      guard case .unwritable(_, let reason) = error else { throw error }
      throw .unwritable(path: path, reason: reason)
    }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue
    {
      throw .unwritable(path: path, reason: "it is a folder; name a file")
    }
    // Only a try tells of a full disk, a quota or a file system that says one thing and does another.
    let probe = "\(folder)/.excite-page-\(ProcessInfo.processInfo.processIdentifier)"
    defer { try? FileManager.default.removeItem(atPath: probe) }
    let reason = [UInt8](repeating: 0, count: 1).withUnsafeBytes {
      replaceFile(at: probe, with: [$0])
    }
    if let reason { throw .unwritable(path: path, reason: reason) }
  }

  /// - Parameter command: what writes it again.
  /// - Throws: `.plot`, `.unwritable`.
  public func write(
    _ reproductions: [PaperReproduction], in store: RunStore, command: String
  ) throws(RunnerError) {
    var reports: [Reproduction] = []
    for reproduction in reproductions {
      let files = try reproduction.draw(in: "\(folder)/figures")
      let picture = files.first.map { "figures/\(URL(fileURLWithPath: $0).lastPathComponent)" }
      reports.append(reproduction.report(picture: picture))
    }
    try writeFile(
      reproductionPage(reports, command: command, notes: store.pageNotes), to: path)
  }
}

extension RunStore {
  /// `notes.md`, where whoever made the runs says what no number does: what the data were, say.
  fileprivate var pageNotes: String? {
    (try? String(contentsOfFile: "\(directory)/notes.md", encoding: .utf8)).map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }
}
