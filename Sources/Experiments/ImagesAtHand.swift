import Datasets
import Foundation
import Reports
import Training

/// How many images of each set a data directory holds: a cut set is used as it is.
public struct ImagesAtHand: Sendable {
  private var counts: [DatasetName: ImageCounts] = [:]

  /// The official sets.
  public static let official = ImagesAtHand()

  private init() {}

  /// Looks at the files' lengths; only those that are not the official ones are read.
  public init(for runs: [PlannedRun], in directory: URL) {
    for name in Set(runs.filter { $0.config.corpus == nil }.map(\.config.dataset.name)) {
      let listing = DataCatalog.listing(DataCatalog.entry(name.data), directory: directory)
      if case .other(.readable(let train, let test)) = listing.state {
        counts[name] = ImageCounts(train: train, test: test)
      }
    }
  }

  /// What runs of a config are trained and tested on.
  func used(by config: DatasetConfig) -> ImageCounts {
    (counts[config.name] ?? ImageCounts(official: config.name)).limited(by: config)
  }

  /// One sentence for each set that is not the official one.
  public var notes: [String] {
    counts.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap { name, counts in
      counts.note(on: DatasetConfig(name: name))
    }
  }
}

/// Images of a set's splits.
struct ImageCounts: Hashable {
  let train: Int
  let test: Int

  init(train: Int, test: Int) {
    self.train = train
    self.test = test
  }

  init(official name: DatasetName) {
    (train, test) = name.recordCounts
  }

  func limited(by config: DatasetConfig) -> ImageCounts {
    ImageCounts(
      train: min(train, config.limit ?? .max), test: min(test, config.testLimit ?? .max))
  }

  /// What to say where these are not what the official set would give; nil where they are.
  func note(on config: DatasetConfig) -> String? {
    let official = ImageCounts(official: config.name).limited(by: config)
    guard self != official else { return nil }
    return "\(config.name.rawValue) here is not the whole set: \(train) training and \(test) test "
      + "images instead of \(official.train) and \(official.test)"
  }
}

/// What a reader must know of runs besides their numbers, one sentence each: that they read other
/// images than the official ones, or were made by another engine or on other machines.
/// - Parameter environment: what the table says it was made on.
func notes(on outcomes: [RunOutcome], madeOn environment: EnvironmentRecord) -> [String] {
  imageNotes(outcomes) + engineNotes(outcomes) + machineNotes(outcomes, environment)
}

private func imageNotes(_ outcomes: [RunOutcome]) -> [String] {
  distinct(
    outcomes.compactMap { outcome in
      outcome.images.flatMap { $0.counts.note(on: $0.config) }
    })
}

extension RunOutcome {
  /// How many images it had, and what its config asks for; nil where that is not told.
  fileprivate var images: (counts: ImageCounts, config: DatasetConfig)? {
    guard let name = DatasetName(rawValue: setting.dataset), let train = trainImages,
      let test = testImages
    else { return nil }
    return (
      ImageCounts(train: train, test: test),
      DatasetConfig(name: name, limit: setting.limit, testLimit: setting.testLimit)
    )
  }

  /// Whether its data set was not the whole official one.
  var hadPartOfTheImages: Bool { images.flatMap { $0.counts.note(on: $0.config) } != nil }
}

private func engineNotes(_ outcomes: [RunOutcome]) -> [String] {
  let kept = outcomes.filter { $0.numerics.map { $0 != numericsVersion } ?? false }
  let others = distinct(kept.compactMap(\.numerics)).sorted()
  guard !others.isEmpty else { return [] }
  let versions = others.map(String.init).joined(separator: ", ")
  return [
    "\(Set(kept.map(\.label)).count) of these runs were made by an engine of numerics version "
      + "\(versions); this program's is \(numericsVersion), and running the experiment repeats them"
  ]
}

private func machineNotes(
  _ outcomes: [RunOutcome], _ environment: EnvironmentRecord
) -> [String] {
  let own = RunResult.EngineRecord(environment).machine
  let others = Dictionary(grouping: outcomes.filter { $0.machine != nil && $0.machine != own }) {
    $0.machine ?? own
  }
  return others.sorted { $0.key < $1.key }.map { machine, outcomes in
    "\(Set(outcomes.map(\.label)).count) of these runs were made on another machine or with other "
      + "kernels, whose bits may differ: \(machine)"
  }
}
