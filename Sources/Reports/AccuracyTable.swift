/// The variant that every Δ is measured against; it has no γ.
let baselineVariant = "vanilla"

/// A run that has no accuracy, and why.
public struct RunFailure: Hashable, Sendable {
  public let label: String
  public let seed: UInt64
  public let reason: String
}

/// One row of the table: a setting and a variant, over seeds. Percent and points.
public struct AccuracyRow: Hashable, Sendable {
  /// Rows of equal `group` share a setting; it counts from 0 in the order of appearance.
  public let group: Int
  public let setting: SettingRecord
  public let variant: String
  /// γ; nil for vanilla.
  public let gamma: Double?
  /// The seeds that finished, in the experiment's order.
  public let seeds: [UInt64]
  /// Percent, or perplexities: the setting's measure. One per seed of `seeds`.
  public let accuracies: [Double]
  public let accuracyMean: Double?
  /// Sample standard deviation (n − 1); nil below two seeds.
  public let accuracyStd: Double?
  /// Mean perplexity on the validation text, of those seeds that measured it; nil without one.
  public let validationMean: Double?
  /// Mean perplexity per word of the test text; nil for images.
  public let wordMean: Double?
  /// The seeds that both this variant and vanilla finished; empty for vanilla itself.
  public let deltaSeeds: [UInt64]
  /// How much better this variant is than vanilla, one per seed of `deltaSeeds`.
  public let deltas: [Double]
  /// Mean over `deltaSeeds` of this variant − vanilla; nil without a pair.
  public let deltaMean: Double?
  /// Sample standard deviation of those differences; nil below two pairs.
  public let deltaStd: Double?
  /// 95 % intervals of the mean difference by Student's t and by bootstrap; nil below two pairs.
  public let deltaCI95T: Interval?
  public let deltaCI95Bootstrap: Interval?
  /// Two-sided p of the sign-flip test; nil where the pairs are too few for one below 0.05.
  public let signFlipP: Double?
  public let publishedMean: Double?
  public let publishedStd: Double?
  public let publishedDelta: Double?
  /// What the paper prints of an excited run of this setting without saying of which variant.
  public let publishedExcited: Double?
  /// Mean over the finished seeds.
  public let secondsPerEpoch: Double?
  public let failures: [RunFailure]
}

/// Accuracy over seeds per setting and variant, with differences to vanilla paired by seed and
/// published values beside them.
public struct AccuracyTable: Hashable, Sendable {
  public let experiment: ExperimentRecord
  public let environment: EnvironmentRecord
  public let rows: [AccuracyRow]

  /// Gathers outcomes into rows, in the order in which settings and variants first appear.
  ///
  /// A seed that occurs twice in a row (vanilla repeated for each γ) counts once: its first
  /// finished run.
  ///
  /// - Parameter published: the paper's values; nil for the built-in ones.
  /// - Throws: `ReportsError.publishedValues`.
  public static func build(
    experiment: ExperimentRecord, environment: EnvironmentRecord, outcomes: [RunOutcome],
    published: PublishedValues? = nil
  ) throws(ReportsError) -> AccuracyTable {
    let values: PublishedValues
    if let published { values = published } else { values = try PublishedValues.load() }
    var rows: [AccuracyRow] = []
    let groups = Self.grouped(outcomes) { $0.setting.group }
    for (group, (setting, outcomes)) in groups.enumerated() {
      let variants = Self.grouped(outcomes) { VariantKey($0) }.map { key, outcomes in
        VariantRuns(key: key, outcomes: outcomes, seedOrder: experiment.seeds)
      }
      let vanilla = variants.first { $0.key.isVanilla }
      for runs in variants {
        rows.append(
          row(group: group, setting: setting, runs: runs, vanilla: vanilla, published: values))
      }
    }
    return AccuracyTable(experiment: experiment, environment: environment, rows: rows)
  }

  private static func row(
    group: Int, setting: SettingRecord, runs: VariantRuns, vanilla: VariantRuns?,
    published: PublishedValues
  ) -> AccuracyRow {
    var deltaSeeds: [UInt64] = []
    var deltas: [Double] = []
    if let vanilla, !runs.key.isVanilla {
      for (seed, accuracy) in zip(runs.seeds, runs.accuracies) {
        guard let position = vanilla.seeds.firstIndex(of: seed) else { continue }
        deltaSeeds.append(seed)
        deltas.append(
          setting.measure.gain(of: accuracy, over: vanilla.accuracies[position]))
      }
    }
    let value =
      setting.comparable
      ? published.value(for: setting, variant: runs.key.variant, gamma: runs.key.gamma) : nil
    let gain =
      setting.comparable
      ? published.gain(for: setting, variant: runs.key.variant, gamma: runs.key.gamma) : nil
    let excited = setting.comparable ? published.excitedEnd(for: setting) : nil
    return AccuracyRow(
      group: group, setting: setting, variant: runs.key.variant, gamma: runs.key.gamma,
      seeds: runs.seeds, accuracies: runs.accuracies,
      accuracyMean: Statistics.mean(runs.accuracies),
      accuracyStd: Statistics.sampleStd(runs.accuracies),
      validationMean: Statistics.mean(runs.validations), wordMean: Statistics.mean(runs.words),
      deltaSeeds: deltaSeeds, deltas: deltas, deltaMean: Statistics.mean(deltas),
      deltaStd: Statistics.sampleStd(deltas), deltaCI95T: Statistics.tInterval(deltas),
      deltaCI95Bootstrap: Statistics.bootstrapInterval(deltas),
      signFlipP: Statistics.signFlipP(deltas),
      publishedMean: value?.mean, publishedStd: value?.std, publishedDelta: value?.delta ?? gain,
      publishedExcited: excited,
      secondsPerEpoch: Statistics.mean(runs.seconds), failures: runs.failures)
  }

  /// Values by key, keys in order of first appearance.
  private static func grouped<Key: Hashable>(
    _ outcomes: [RunOutcome], by key: (RunOutcome) -> Key
  ) -> [(Key, [RunOutcome])] {
    var positions: [Key: Int] = [:]
    var groups: [(Key, [RunOutcome])] = []
    for outcome in outcomes {
      let key = key(outcome)
      if let position = positions[key] {
        groups[position].1.append(outcome)
      } else {
        positions[key] = groups.count
        groups.append((key, [outcome]))
      }
    }
    return groups
  }
}

/// What makes a row within a group.
private struct VariantKey: Hashable {
  let variant: String
  let gamma: Double?

  /// Vanilla has no γ, so that a sweep over γ has one baseline.
  init(_ outcome: RunOutcome) {
    variant = outcome.variant
    gamma = outcome.variant == baselineVariant ? nil : outcome.gamma
  }

  var isVanilla: Bool { variant == baselineVariant }
}

/// One row's runs, one per seed.
private struct VariantRuns {
  let key: VariantKey
  private(set) var seeds: [UInt64] = []
  private(set) var accuracies: [Double] = []
  private(set) var validations: [Double] = []
  private(set) var words: [Double] = []
  private(set) var seconds: [Double] = []
  private(set) var failures: [RunFailure] = []

  init(key: VariantKey, outcomes: [RunOutcome], seedOrder: [UInt64]) {
    self.key = key
    var bySeed: [UInt64: RunOutcome] = [:]
    for outcome in outcomes {
      if let known = bySeed[outcome.seed], known.finishedAccuracy != nil { continue }
      if bySeed[outcome.seed] == nil || outcome.finishedAccuracy != nil {
        bySeed[outcome.seed] = outcome
      }
    }
    // Jobs end in any order; the experiment's order keeps equal results equal in bytes.
    let positions = Dictionary(
      seedOrder.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let ordered = bySeed.values.sorted {
      (positions[$0.seed] ?? .max, $0.seed) < (positions[$1.seed] ?? .max, $1.seed)
    }
    for outcome in ordered {
      if let accuracy = outcome.finishedAccuracy {
        seeds.append(outcome.seed)
        accuracies.append(accuracy)
        if let score = outcome.validationPerplexity, score.isFinite { validations.append(score) }
        if let score = outcome.wordPerplexity, score.isFinite { words.append(score) }
        if let time = outcome.secondsPerEpoch, time.isFinite { seconds.append(time) }
      } else {
        failures.append(
          RunFailure(
            label: outcome.label, seed: outcome.seed, reason: outcome.missingReason))
      }
    }
  }
}

extension RunOutcome {
  /// The accuracy, or perplexity, that may enter a mean: of a finished run, and a number.
  fileprivate var finishedAccuracy: Double? {
    let score = setting.measure == .accuracy ? accuracy : perplexity
    guard status == .finished, let score, score.isFinite else { return nil }
    return score
  }

  fileprivate var missingReason: String {
    switch status {
    case .finished:
      "finished without \(setting.measure == .accuracy ? "an accuracy" : "a perplexity")"
    case .failed(let reason): reason
    case .interrupted where epochs == 0: "not begun"
    case .interrupted: "interrupted after \(epochs) of \(setting.epochs) epochs"
    }
  }
}

extension SettingRecord {
  /// The setting without the axes that have their own place in a table.
  var group: SettingRecord {
    var group = self
    let own: Set<String> = ["gamma", "variant", "variants", "seed", "seeds"]
    group.varying = varying.filter { !own.contains($0.shortKey) }
    return group
  }
}

extension SettingAxis {
  /// `lr` of `optimizer.lr`, `optimizer` of `optimizer.name`.
  var shortKey: String {
    var parts = key.split(separator: ".")
    if parts.count > 1, parts.last == "name" { parts.removeLast() }
    return parts.last.map(String.init) ?? key
  }
}
