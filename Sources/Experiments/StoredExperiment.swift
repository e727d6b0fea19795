import Foundation
import Plots
import Reports
import Tensors

/// What an experiment asked for, kept so that its table can be built again from the runs:
/// `experiments/NAME/experiment.json`, with the resolved config beside it as `experiment.yaml`.
public struct StoredExperiment: Codable, Hashable, Sendable {
  public let experiment: ExperimentRecord
  public let environment: EnvironmentRecord
  /// Its runs in the table's order, as they were known before the first began.
  public let runs: [RunOutcome]
}

extension RunStore {
  /// The folder of an experiment's own files.
  public func folder(of experiment: String) -> String { "\(directory)/experiments/\(experiment)" }

  /// Keeps what an experiment asks for.
  /// - Throws: `.unwritable`.
  public func keep(_ experiment: StoredExperiment, as name: String) throws(RunnerError) {
    try prepareFolder(folder(of: name))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let path = "\(folder(of: name))/experiment.json"
    let data: Data
    do { data = try encoder.encode(experiment) } catch {
      throw .unwritable(path: path, reason: "\(error)")
    }
    try writeFile(String(decoding: data, as: UTF8.self) + "\n", to: path)
    try writeFile(experiment.experiment.config, to: "\(folder(of: name))/experiment.yaml")
  }

  /// The experiment whose own folder this is, and its store; nil where it is none.
  static func experiment(at folder: URL) -> (name: String, store: RunStore)? {
    let file = folder.appendingPathComponent("experiment.json").path
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let store = folder.deletingLastPathComponent().deletingLastPathComponent().path
    return (folder.lastPathComponent, RunStore(store))
  }

  /// Names of the experiments kept here, sorted.
  public var experimentNames: [String] { names(in: "\(directory)/experiments") }

  /// - Throws: `.unreadable` where there is none, or not as `keep` wrote it.
  public func experiment(_ name: String) throws(RunnerError) -> StoredExperiment {
    let path = "\(folder(of: name))/experiment.json"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .unreadable(path: path, reason: "there is no such file")
    }
    do { return try JSONDecoder().decode(StoredExperiment.self, from: data) } catch {
      throw .unreadable(path: path, reason: "not an experiment as excite keeps it")
    }
  }

  /// The runs of an experiment as the store has them now.
  public func outcomes(of experiment: StoredExperiment) -> [RunOutcome] {
    experiment.runs.map { run in
      switch state(ofRun: run.label) {
      case .finished(var outcome), .failed(var outcome):
        outcome.setting = run.setting
        return outcome
      case .partial(let epochs), .running(_, let epochs):
        var outcome = run
        outcome.epochs = epochs
        return outcome
      case .absent: return run
      case .damaged(let problem):
        var outcome = run
        outcome.status = .failed(reason: problem)
        return outcome
      }
    }
  }
}

extension RunStore {
  /// The histories of an experiment's runs.
  func curves(of experiment: StoredExperiment) -> [RunCurve] {
    experiment.runs.map { run in
      RunCurve(
        setting: run.setting, variant: run.variant, gamma: run.gamma, seed: run.seed,
        points: RunFolder.points(in: runFolder(run.label)))
    }
  }
}

extension RunStore {
  /// What its runs told of their expert layers.
  func expertCurves(of experiment: StoredExperiment) -> [ExpertCurve] {
    experiment.runs.map { run in
      ExpertCurve(
        setting: run.setting, variant: run.variant, gamma: run.gamma, seed: run.seed,
        points: RunFolder.expertPoints(in: runFolder(run.label)))
    }
  }

  /// Which classes the experts of its finished runs served.
  func expertClasses(of experiment: StoredExperiment) -> [ExpertClassMap] {
    experiment.runs.compactMap { run in
      let layers = RunFolder.expertClasses(in: runFolder(run.label))
      guard !layers.isEmpty else { return nil }
      return ExpertClassMap(
        setting: run.setting, variant: run.variant, gamma: run.gamma, seed: run.seed,
        layers: layers)
    }
  }
}

extension ExperimentConfig {
  /// The experiment as the store keeps it.
  /// - Parameters:
  ///   - command: what repeats it.
  ///   - initial: the weights that its runs start from, if not their seeds' own.
  public func stored(
    command: String, environment: EnvironmentRecord, initial: SafetensorsFile?
  ) -> StoredExperiment {
    let weights = initial?.fingerprint
    return StoredExperiment(
      experiment: record(command: command), environment: environment,
      runs: runs.map { $0.outcome(initialWeights: weights) })
  }

  /// A name for the experiment's folder: the config file's, with a hash of the resolved experiment
  /// behind it where flags changed what the file says.
  public func storeName(initial: SafetensorsFile?) -> String {
    guard isOverridden || initial != nil else { return name }
    var hash = ContentHash()
    hash.add(uncommentedYAML)
    hash.add(initial?.fingerprint ?? "")
    return "\(name)-\(hash.hexadecimal.prefix(8))"
  }
}

extension PlannedRun {
  /// The run's folder in the store. Runs from given weights have their own.
  /// - Parameter initialWeights: the fingerprint of their file.
  func folder(initialWeights: String?) -> String {
    label + (initialWeights.map { "-from-\($0.prefix(8))" } ?? "")
  }
}

/// Writes one self-contained page about experiments.
/// - Throws: `.unwritable`.
public func writeHTML(_ kept: [KeptExperiment], to path: String) throws(RunnerError) {
  var tables: [AccuracyTable] = []
  for experiment in kept { tables.append(try experiment.table()) }
  let page = htmlReport(
    tables, curves: kept.map(\.curves), experts: kept.map(\.expertClasses))
  try writeFile(page, to: path)
}

/// An experiment and the store that keeps its runs.
public struct KeptExperiment: Sendable {
  public let name: String
  public let store: RunStore
  public let stored: StoredExperiment

  /// The experiments of a store, or the one whose own folder is given.
  /// - Parameter note: told of each that cannot be read, while there are others.
  /// - Throws: `.unreadable` where there is none.
  public static func all(
    in directory: String, note: (String) -> Void
  ) throws(RunnerError) -> [KeptExperiment] {
    let url = URL(fileURLWithPath: directory).standardizedFileURL
    let files = FileManager.default
    guard files.fileExists(atPath: url.path) else {
      throw .unreadable(path: directory, reason: "there is no such folder")
    }
    if let (name, store) = RunStore.experiment(at: url) {
      return [try KeptExperiment(name, in: store)]
    }
    let store = RunStore(url.path)
    var all: [KeptExperiment] = []
    var failures: [RunnerError] = []
    for name in store.experimentNames {
      do throws(RunnerError) { all.append(try KeptExperiment(name, in: store)) } catch {
        failures.append(error)
      }
    }
    if all.isEmpty, let failure = failures.first { throw failure }
    for failure in failures { note(failure.description) }
    guard !all.isEmpty else {
      throw .unreadable(
        path: directory, reason: "no experiment is kept here; expected experiments/NAME in it")
    }
    return all
  }

  private init(_ name: String, in store: RunStore) throws(RunnerError) {
    self.name = name
    self.store = store
    stored = try store.experiment(name)
  }

  /// The table of the runs that the store has by now.
  public func table() throws(RunnerError) -> AccuracyTable {
    try accuracyTable(stored, outcomes: store.outcomes(of: stored))
  }

  /// The histories of its runs.
  public var curves: [RunCurve] { store.curves(of: stored) }

  /// What its runs measured of their expert layers.
  public var expertCurves: [ExpertCurve] { store.expertCurves(of: stored) }

  /// Which classes the experts of its finished runs served.
  public var expertClasses: [ExpertClassMap] { store.expertClasses(of: stored) }

  /// Draws a figure into the experiment's folder, as SVG and PNG.
  /// - Returns: the paths of the two files.
  public func draw(_ kind: FigureKind) throws(RunnerError) -> [String] {
    let outcomes = store.outcomes(of: stored)
    let table = try accuracyTable(stored, outcomes: outcomes)
    let counts = RunCounts(outcomes)
    let drawing = figure(
      kind, of: table, curves: kind == .curves ? curves : [],
      notes: (counts.areOver ? [] : [counts.text + "."])
        + notes(on: outcomes, madeOn: stored.environment).map { "\($0)." })
    return try write(drawing, to: "\(store.folder(of: name))/\(kind.rawValue)")
  }
}

/// Writes a drawing as SVG and PNG.
/// - Returns: the paths of the two files.
/// - Throws: `.plot`, `.unwritable`.
func write(_ drawing: Drawing, to base: String) throws(RunnerError) -> [String] {
  try writeFile(drawing.svg(), to: "\(base).svg")
  let png: [UInt8]
  do { png = try drawing.png() } catch { throw .plot(error) }
  if let reason = png.withUnsafeBytes({ replaceFile(at: "\(base).png", with: [$0]) }) {
    throw .unwritable(path: "\(base).png", reason: reason)
  }
  return ["\(base).svg", "\(base).png"]
}
