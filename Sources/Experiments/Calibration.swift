import Foundation
import Models
import Reports

/// A search over what the paper leaves open (epochs, augmentation, …) by successive halving: all
/// candidates are tried on few of the paper's vanilla cells, the better half on more, the last one
/// on all.
///
/// Excited cells have no part in it, so that they can be compared afterwards.
public struct Calibration: Sendable {
  /// A recipe: the base config with one thing changed.
  public struct Candidate: Hashable, Sendable {
    /// `key.path=value`, or "as it is".
    public let name: String
    let set: [String]
  }

  /// What the paper does not say, around the recipe that fits best so far.
  public static let openChoices = [
    "epochs=200,400", "dataset.augmentation=none,flip", "dataset.crop_padding=2,8",
    "dataset.normalization=unit,symmetric", "model.hidden_layers=4",
    "model.initialization=he,xavier", "optimizer.weight_decay=5e-4", "schedule.per=step",
  ]

  public let candidates: [Candidate]
  /// The cells of each round; each contains those before it.
  public let rounds: [[PublishedCell]]
  private let path: String
  private let set: [String]
  private let seeds: String

  /// - Parameters:
  ///   - path: the config of the base recipe.
  ///   - choices: `key.path=a,b`; each value is a candidate of its own, beside the base.
  ///   - set: `key.path=value` for all candidates.
  ///   - seeds: a list such as `0`.
  /// - Throws: `.config` for a choice that is none; `.report`.
  public init(
    path: String, choices: [String], set: [String] = [], seeds: String = "0"
  ) throws(RunnerError) {
    self.path = path
    self.set = set
    self.seeds = seeds
    var candidates = [Candidate(name: "as it is", set: [])]
    for choice in choices {
      do {
        let axis = try SweepAxis(set: choice)
        candidates += axis.values.map { value in
          Candidate(name: "\(axis.keyPath)=\(value)", set: ["\(axis.keyPath)=\(value)"])
        }
      } catch {
        throw .config(error)
      }
    }
    self.candidates = candidates
    let cells: [PublishedCell]
    do { cells = try PublishedValues.load().vanillaCells } catch { throw .report(error) }
    rounds = Self.rounds(cells)
  }

  /// One cell; then one of another optimizer and one of low sparsity; then the ends of the other
  /// axes; then all.
  private static func rounds(_ cells: [PublishedCell]) -> [[PublishedCell]] {
    func cell(
      _ optimizer: String, lr: Double, batch: Int = 512, sparsity: Double = 0.9,
      schedule: String = "cosine"
    ) -> [PublishedCell] {
      cells.filter {
        $0.optimizer == optimizer && $0.lr == lr && $0.batchSize == batch
          && $0.sparsity == sparsity && $0.schedule == schedule
      }
    }
    let first = cell("sgd", lr: 0.01)
    let second = first + cell("adam", lr: 1e-4) + cell("sgd", lr: 0.01, sparsity: 0.1)
    let third =
      second + cell("sgd", lr: 0.3) + cell("adam", lr: 0.002) + cell("sgd", lr: 0.01, batch: 64)
      + cell("sgd", lr: 0.01, schedule: "constant")
    return [first, second, third, cells]
  }

  /// How many candidates go on to a round: half of the last one's, and in the end one.
  public func survivors(of round: Int) -> Int {
    round == rounds.count - 1
      ? 1 : (0..<round).reduce(candidates.count) { count, _ in (count + 1) / 2 }
  }

  /// The vanilla runs of some candidates on a round's cells, as one experiment.
  /// - Throws: `.config` where a candidate is no valid recipe.
  public func experiment(
    _ candidates: [Candidate], round: Int
  ) throws(RunnerError) -> ExperimentConfig {
    var parts: [ExperimentConfig] = []
    for candidate in candidates {
      for cell in rounds[round] { parts.append(try experiment(candidate, cell)) }
    }
    return ExperimentConfig.joined(parts, name: "calibration")
  }

  private func experiment(
    _ candidate: Candidate, _ cell: PublishedCell
  ) throws(RunnerError) -> ExperimentConfig {
    let values =
      [
        "optimizer.name=\(cell.optimizer)", "optimizer.lr=\(yaml(cell.lr))",
        "batch_size=\(cell.batchSize)", "model.sparsity=\(yaml(cell.sparsity))",
        "schedule.name=\(cell.schedule)",
      ] + set + candidate.set
    do {
      return try ExperimentConfig.load(
        path: path,
        overrides: ConfigOverrides(set: values, seeds: seeds, variants: "vanilla"))
    } catch {
      throw .config(error)
    }
  }

  /// The candidates of a round, the nearest to the paper first, those with missing runs last.
  public func ranked(
    _ candidates: [Candidate], round: Int, in store: RunStore
  ) throws(RunnerError) -> [(candidate: Candidate, score: CalibrationScore)] {
    var ranked: [(candidate: Candidate, score: CalibrationScore)] = []
    for candidate in candidates {
      var results: [CalibrationScore.Result] = []
      for cell in rounds[round] {
        let states = try experiment(candidate, cell).runs.map { store.state(ofRun: $0.label) }
        results.append(Self.result(states))
      }
      ranked.append(
        (candidate, CalibrationScore(candidate.name, results, against: rounds[round])))
    }
    return ranked.enumerated().sorted { a, b in
      let (x, y) = (a.element.score.rank, b.element.score.rank)
      return (x.0, x.1, a.offset) < (y.0, y.1, b.offset)
    }.map(\.element)
  }

  /// The mean over seeds.
  private static func result(_ states: [RunStore.RunState]) -> CalibrationScore.Result {
    var accuracies: [Double] = []
    for state in states {
      switch state {
      case .finished(let outcome): accuracies += [outcome.accuracy].compactMap(\.self)
      case .failed: return .diverged
      default: return .missing
      }
    }
    return Statistics.mean(accuracies).map { .accuracy($0) } ?? .missing
  }
}
