import Datasets
import Models
import Reports
import Training

/// A search over what the paper leaves open (epochs, augmentation, …) by successive halving: all
/// candidates are tried on few of the paper's vanilla cells, the better half on more, the last one
/// on all.
///
/// Excited cells have no part in it, so that they can be compared afterwards.
public struct Calibration: Sendable {
  /// A recipe: the base config with one thing changed, or several together.
  public struct Candidate: Hashable, Sendable {
    /// `key.path=value`, several with spaces between them, or "as it is".
    public let name: String
    let set: [String]
  }

  /// What the paper does not say, around the recipe that fits best so far.
  public static let openChoices = [
    "epochs=100,200", "dataset.augmentation=none,flip", "dataset.crop_padding=2,8",
    "dataset.normalization=unit,symmetric", "model.hidden_layers=3 epochs=300",
    "model.initialization=he,xavier", "optimizer.weight_decay=5e-4", "schedule.per=step",
  ]

  public let candidates: [Candidate]
  /// The cells of each round; each contains those before it.
  public let rounds: [[PublishedCell]]
  private let path: String
  private let overrides: ConfigOverrides

  /// - Parameters:
  ///   - path: the config of the base recipe; nil for the repository's `configs/cifar10_topk.yaml`.
  ///   - choices: `key.path=a,b`, each value a candidate of its own, beside the base; or
  ///     `key.path=a other.key=b`, one candidate that changes both.
  ///   - overrides: for all candidates; without seeds the first alone.
  /// - Throws: `.config` for a choice that is none, or a candidate that is no recipe for all cells;
  ///   `.unreadable`, `.report`.
  public init(
    path: String? = nil, choices: [String], overrides: ConfigOverrides = ConfigOverrides()
  ) throws(RunnerError) {
    if let path {
      self.path = path
    } else {
      self.path = try PaperArtifact.found(Self.standardPath, else: "name a config")
    }
    var overrides = overrides
    overrides.seeds = overrides.seeds ?? "0"
    overrides.variants = "vanilla"
    self.overrides = overrides
    do {
      candidates = try Self.candidates(choices)
      for text in overrides.set { try Self.check(SweepAxis(set: text)) }
    } catch {
      throw .config(error)
    }
    let cells: [PublishedCell]
    do { cells = try PublishedValues.load().vanillaCells } catch { throw .report(error) }
    rounds = Self.rounds(cells)
    try checkCandidates()
  }

  /// The config of the base recipe where none is named.
  public static let standardPath = "configs/cifar10_topk.yaml"

  private static func candidates(_ choices: [String]) throws(ConfigError) -> [Candidate] {
    var candidates = [Candidate(name: "as it is", set: [])]
    func add(_ texts: [String], at axis: SweepAxis) throws(ConfigError) {
      let name = texts.joined(separator: " ")
      guard !candidates.contains(where: { $0.name == name }) else {
        throw .repeated(at: .flag(axis.origin), path: axis.keyPath, value: axis.values[0])
      }
      candidates.append(Candidate(name: name, set: texts))
    }
    for choice in choices {
      var axes: [SweepAxis] = []
      for part in choice.split(separator: " ") {
        let axis = try SweepAxis(set: String(part), flag: "--try")
        try check(axis)
        axes.append(axis)
      }
      guard let first = axes.first else {
        throw .conflict(at: .flag("--try"), path: "--try", reason: "give key.path=a,b")
      }
      if axes.count == 1 {
        for value in first.values { try add(["\(first.keyPath)=\(value)"], at: first) }
      } else {
        for axis in axes where axis.values.count > 1 {
          throw .conflict(
            at: .flag(axis.origin), path: axis.keyPath,
            reason: "one value for each key of a candidate that changes several")
        }
        try add(axes.map { "\($0.keyPath)=\($0.values[0])" }, at: first)
      }
    }
    return candidates
  }

  /// Refuses keys that are no choice: the cells' own, and what the paper does state.
  private static func check(_ axis: SweepAxis) throws(ConfigError) {
    let reason: String
    switch axis.keyPath {
    case "optimizer", "optimizer.name", "optimizer.lr", "batch_size", "model.sparsity", "model.k",
      "schedule", "schedule.name":
      reason = "every published cell has its own; try what the paper leaves open, such as epochs"
    case "dataset", "dataset.name", "dataset.labels":
      reason = "the published cells are all of CIFAR-10"
    case "model", "model.name", "model.width":
      reason = "the published cells are all of Top-K MLPs of width 128"
    case ConfigKey.seeds: reason = "give --seeds"
    case let key where key.hasPrefix("excitation"): reason = "only vanilla is trained here"
    default: return
    }
    throw .conflict(at: .flag(axis.origin), path: axis.keyPath, reason: reason)
  }

  /// Refuses what is wrong with a candidate in any cell before the first run, and two of one recipe.
  private func checkCandidates() throws(RunnerError) {
    let base: RunConfig
    do { base = try ExperimentConfig.load(path: path, overrides: overrides).base } catch {
      throw .config(error)
    }
    if base.dataset.name != .cifar10 {
      throw refusal(path, "dataset.name", "the published cells are all of CIFAR-10")
    }
    if base.model.name != .topKMLP {
      throw refusal(path, "model.name", "the published cells are all of Top-K MLPs")
    }
    var recipes: [(name: String, runs: Set<String>)] = []
    for candidate in candidates {
      let runs = Set(try experiment([candidate], round: rounds.count - 1).runs.map(\.label))
      if let same = recipes.first(where: { $0.runs == runs }) {
        throw refusal(
          "--try \(candidate.name)", candidate.name, "is the same recipe as '\(same.name)'")
      }
      recipes.append((candidate.name, runs))
    }
  }

  private func refusal(_ place: String, _ key: String, _ reason: String) -> RunnerError {
    .config(.conflict(at: .flag(place), path: key, reason: reason))
  }

  /// What makes runs so short that their distances mean little; nil where nothing does.
  public func warning() throws(RunnerError) -> String? {
    let settings = try experiment(candidates, round: 0).settings.map {
      $0.record(isUnchanged: true)
    }
    let cuts = distinct(
      settings.flatMap { setting in
        [
          setting.limit.map { "first \($0) training images" },
          setting.testLimit.map { "first \($0) test images" },
          setting.maxSteps.map { "stopped after \($0) steps" },
        ].compactMap(\.self)
      })
    return cuts.isEmpty
      ? nil
      : "the runs are cut (\(cuts.joined(separator: ", "))): distances to the paper mean little"
  }

  /// A cell, one of another optimizer and one of low sparsity, since depth and epochs together fit any
  /// single one; then the ends of the other axes; then all.
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
    let first =
      cell("sgd", lr: 0.01) + cell("adam", lr: 1e-4) + cell("sgd", lr: 0.01, sparsity: 0.1)
    let second =
      first + cell("sgd", lr: 0.3) + cell("adam", lr: 0.002) + cell("sgd", lr: 0.01, batch: 64)
      + cell("sgd", lr: 0.01, schedule: "constant")
    return [first, second, cells]
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
      ]
    var overrides = overrides
    overrides.cell = values
    overrides.tried = candidate.set
    do {
      return try ExperimentConfig.load(path: path, overrides: overrides)
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
