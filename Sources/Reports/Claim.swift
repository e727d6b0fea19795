import Foundation

/// What the paper claims about its models, each as numbers that a table can support or deny.
public enum Claim: String, CaseIterable, Hashable, Sendable {
  case targetedBeatsVanilla = "targeted variants beat vanilla"
  case controlsDoNot = "untargeted controls do not beat vanilla"
  case targetedBeatsControls = "zero-sum beats the untargeted controls"
  case invertedHurts = "inverted hurts"
  case gainGrowsWithSparsity = "the gain grows with sparsity"
  case gainGrowsWithBatchSize = "the gain grows with batch size"
  case gainFallsWithLearningRate = "the gain falls as the learning rate grows"
  case windowRestores = "utilization over more batches restores the gain in small ones"
  case gainIsLargerWithCosine = "the gain is larger with cosine decay than with a constant rate"
  case positiveSumIsRobust = "positive-sum hardly depends on γ"
  case specialization = "excitation makes experts more special"
  case lowerEntropy = "excitation ends at a lower routing entropy"
  case deepRescue = "excitation rescues deep models that vanilla leaves near chance"
  case granularityRescue = "excitation gains where experts are many and small"
  case capacityIsSafe = "excitation costs nothing where layers are wide"
  case languageGains = "excitation gains in nearly all language models"
  case peakAtEight = "top-2 gains peak at 8 experts"
  case reboundAtSixtyFour = "gains rise again from 32 to 64 experts"
  case gainFallsWithPicks = "gains fall as more experts are picked"

  /// Points that count as no difference where the paper claims none.
  static let indifference = 1.0
  /// Points above chance that count as near it.
  static let nearChance = 3.0

  /// What of the expert layers it compares; nil where it is about something else.
  var expertMetric: ExpertMetric? {
    switch self {
    case .specialization: .specialization
    case .lowerEntropy: .routingEntropy
    default: nil
    }
  }

  /// How the claim is judged, in a sentence.
  public var meaning: String {
    switch self {
    case .targetedBeatsVanilla:
      "Δ of zero-sum, positive-sum and, where run, exp-diff above 0"
    case .controlsDoNot: "Δ of global-exp and random-boost below \(shortText(Self.indifference))"
    case .targetedBeatsControls: "zero-sum − control above 0"
    case .invertedHurts: "Δ of inverted below 0"
    case .gainGrowsWithSparsity:
      "Δ of zero-sum over sparsity: change along the fitted line above 0"
    case .gainGrowsWithBatchSize:
      "Δ of zero-sum over log batch size: change along the fitted line above 0"
    case .windowRestores:
      "Δ of zero-sum over several batches above 0, and above that over one batch"
    case .gainFallsWithLearningRate:
      "Δ over log learning rate: change along the fitted line below 0"
    case .gainIsLargerWithCosine: "Δ of zero-sum with cosine − with constant above 0"
    case .positiveSumIsRobust:
      "accuracy with γ − with γ 1 within ±\(shortText(Self.indifference))"
    case .specialization:
      "specialization after the last epoch, mean over layers: excited − vanilla above 0"
    case .lowerEntropy:
      "routing entropy after the last epoch, mean over layers: excited − vanilla below 0"
    case .deepRescue:
      "vanilla − chance within ±\(shortText(Self.nearChance)), zero-sum and positive-sum − chance "
        + "above \(shortText(Self.nearChance))"
    case .granularityRescue: "Δ of excited above 0 in the model of the narrowest layers"
    case .capacityIsSafe:
      "Δ of excited above -\(shortText(Self.indifference)) in the model of the widest layers"
    case .languageGains:
      "Δ over all models above 0, share of those that gain above \(shortText(Self.nearlyAll)) %"
    case .peakAtEight: "top-2 Δ at 8 experts − at 4 above 0, − at 16 above 0, by expert width"
    case .reboundAtSixtyFour: "Δ at 64 experts − at 32 above 0 for each k, by expert width"
    case .gainFallsWithPicks: "Δ with the most picks − mean with fewer below 0, by model"
    }
  }

  /// Judges the claim by what the table's rows say.
  /// - Parameters:
  ///   - experts: what the runs told of their expert layers.
  ///   - parts: data sets of which the runs had a part; what was measured there is told, not judged.
  public func verdict(
    on table: AccuracyTable, experts: [ExpertCurve] = [], parts: Set<String> = []
  ) -> Verdict {
    let groups = Dictionary(grouping: table.rows, by: \.group).sorted { $0.key < $1.key }
      .map(\.value)
    let axes = SettingAxes(groups.map { $0[0].setting })
    let places = groups.enumerated().map { index, rows in
      Place(rows: rows, words: axes.columns.map { $0.values[index] })
    }
    let whole = places.filter { !parts.contains($0.setting.dataset) }
    var evidence = whole.isEmpty && !places.isEmpty ? [] : evidence(whole, experts)
    for name in distinct(places.map(\.setting.dataset)) where parts.contains(name) {
      evidence += self.evidence(places.filter { $0.setting.dataset == name }, experts).map {
        var evidence = $0
        evidence.isPart = true
        return evidence
      }
    }
    return Verdict(
      self, evidence, isCut: table.rows.contains { $0.setting.maxSteps != nil })
  }

  private func evidence(_ places: [Place], _ experts: [ExpertCurve]) -> [Evidence] {
    switch self {
    case .targetedBeatsVanilla:
      places.flatMap { place in
        (["zero-sum", "positive-sum"] + (place.row("exp-diff") == nil ? [] : ["exp-diff"]))
          .map { place.delta($0, .above(0)) }
      }
    case .controlsDoNot:
      places.flatMap { place in
        ["global-exp", "random-boost"].map { place.delta($0, .below(Self.indifference)) }
      }
    case .targetedBeatsControls:
      places.flatMap { place in
        ["global-exp", "random-boost"].map { place.difference("zero-sum", $0, .above(0)) }
      }
    case .invertedHurts: places.map { $0.delta("inverted", .below(0)) }
    case .gainGrowsWithSparsity:
      trends(places, of: ["zero-sum"], over: "sparsity", .above(0)) { $0.sparsity ?? .nan }
    case .gainGrowsWithBatchSize:
      trends(places, of: ["zero-sum"], over: "batch", .above(0)) { log2(Double($0.batchSize)) }
    case .gainFallsWithLearningRate:
      trends(places, of: ["zero-sum", "positive-sum"], over: "lr", .below(0)) { log10($0.lr) }
    case .windowRestores: windowGains(places)
    case .gainIsLargerWithCosine: cosineGains(places)
    case .positiveSumIsRobust: places.flatMap(\.intensityChanges)
    case .specialization:
      places.flatMap { $0.expertDifferences(experts, .specialization, unit: "", .above(0)) }
    case .lowerEntropy:
      places.flatMap { $0.expertDifferences(experts, .routingEntropy, unit: "nats", .below(0)) }
    case .deepRescue:
      places.flatMap { place in
        [place.aboveChance(baselineVariant, .within(Self.nearChance))]
          + ["zero-sum", "positive-sum"].map { place.aboveChance($0, .above(Self.nearChance)) }
      }
    case .granularityRescue:
      excitedDeltas(places.filter { $0.width == places.map(\.width).min() }, .above(0))
    case .capacityIsSafe:
      excitedDeltas(
        places.filter { $0.width == places.map(\.width).max() }, .above(-Self.indifference))
    case .languageGains, .peakAtEight, .reboundAtSixtyFour, .gainFallsWithPicks:
      GainGrid.all(places.flatMap(\.rows)).flatMap(evidence)
    }
  }

  private func excitedDeltas(
    _ places: [Place], _ expectation: Evidence.Expectation
  ) -> [Evidence] {
    places.flatMap { place in
      ["zero-sum", "positive-sum"].map { place.delta($0, expectation) }
    }
  }

  /// Per optimizer and variant: the change of Δ along the line fitted to all settings.
  private func trends(
    _ places: [Place], of variants: [String], over axis: String,
    _ expectation: Evidence.Expectation, _ x: (SettingRecord) -> Double
  ) -> [Evidence] {
    distinct(places.map(\.setting.optimizer)).flatMap { optimizer in
      let own = places.filter { $0.setting.optimizer == optimizer }
      return variants.map { variant in
        let positions = own.map { x($0.setting) }
        let rows = own.map { $0.row(variant) }
        let seeds = rows.map { Set($0?.deltaSeeds ?? []) }
        let common = seeds.dropFirst().reduce(seeds.first ?? []) { $0.intersection($1) }
        let values = common.sorted().compactMap { seed in
          fittedChange(positions, rows.map { $0?.delta(of: seed) })
        }
        return Evidence(
          "\(optimizer), \(variant): change of Δ over \(axis)", expectation, values: values,
          published: fittedChange(positions, rows.map { $0?.publishedDelta }))
      }
    }
  }

  private func cosineGains(_ places: [Place]) -> [Evidence] {
    distinct(places.map(\.setting.optimizer)).map { optimizer in
      func row(_ schedule: String) -> AccuracyRow? {
        places.first { $0.setting.optimizer == optimizer && $0.setting.schedule == schedule }?
          .row("zero-sum")
      }
      let (cosine, constant) = (row("cosine"), row("constant"))
      return Evidence(
        "\(optimizer), zero-sum: Δ with cosine − with constant", .above(0),
        values: cosine.gains(over: constant),
        published: minus(cosine?.publishedDelta, constant?.publishedDelta))
    }
  }

  /// Per optimizer and batch size.
  private func windowGains(_ places: [Place]) -> [Evidence] {
    func window(_ place: Place) -> Int { place.setting.window ?? 1 }
    return places.filter { window($0) > 1 }.flatMap { place in
      let one = places.first {
        window($0) == 1 && $0.setting.optimizer == place.setting.optimizer
          && $0.setting.batchSize == place.setting.batchSize
      }
      let excited = place.row("zero-sum")
      let name = "\(place.setting.optimizer), batch \(place.setting.batchSize), zero-sum"
      return [
        Evidence(
          "\(name): Δ over \(window(place)) batches", .above(0), values: excited?.deltas ?? []),
        Evidence(
          "\(name): Δ over \(window(place)) batches − over 1", .above(0),
          values: excited.gains(over: one?.row("zero-sum"))),
      ]
    }
  }
}

/// One setting's rows.
private struct Place {
  /// At least one.
  let rows: [AccuracyRow]
  /// What tells the setting from the others.
  let words: [String]

  var setting: SettingRecord { rows[0].setting }
  var width: Int { setting.width ?? 0 }

  private var prefix: String { words.isEmpty ? "" : words.joined(separator: " ") + ", " }

  func row(_ variant: String, gamma: Double = 1) -> AccuracyRow? {
    rows.first { $0.variant == variant && ($0.gamma ?? gamma) == gamma }
  }

  func delta(_ variant: String, _ expectation: Evidence.Expectation) -> Evidence {
    let row = row(variant)
    return Evidence(
      "\(prefix)\(variant) − vanilla", expectation, values: row?.deltas ?? [],
      published: row?.publishedDelta)
  }

  func difference(
    _ variant: String, _ other: String, _ expectation: Evidence.Expectation
  ) -> Evidence {
    let (a, b) = (row(variant), row(other))
    return Evidence(
      "\(prefix)\(variant) − \(other)", expectation, values: a.paired(with: b),
      published: minus(a?.publishedMean, b?.publishedMean))
  }

  /// A quantity of the expert layers, mean over them after the last epoch: excited − vanilla.
  func expertDifferences(
    _ curves: [ExpertCurve], _ metric: ExpertMetric, unit: String,
    _ expectation: Evidence.Expectation
  ) -> [Evidence] {
    func end(_ variant: String, _ seed: UInt64) -> Double? {
      let curve = curves.first {
        $0.setting.group == setting && $0.variant == variant && $0.seed == seed
      }
      return Statistics.mean(
        (curve?.points ?? []).filter { $0.epoch == setting.epochs }.map(metric.value))
    }
    let seeds = row(baselineVariant)?.seeds ?? []
    return ["zero-sum", "positive-sum"].map { variant in
      Evidence(
        "\(prefix)\(variant) − vanilla", unit: unit, expectation,
        values: seeds.compactMap { minus(end(variant, $0), end(baselineVariant, $0)) })
    }
  }

  /// A variant's accuracy less that of guessing.
  func aboveChance(_ variant: String, _ expectation: Evidence.Expectation) -> Evidence {
    let chance = setting.dataset == "cifar100" ? 1.0 : 10
    let row = row(variant)
    // The paper's deep runs do not say which variant they have.
    let published = row?.publishedMean ?? (variant == baselineVariant ? nil : row?.publishedExcited)
    return Evidence(
      "\(prefix)\(variant) − chance", expectation,
      values: (row?.accuracies ?? []).map { $0 - chance }, published: minus(published, chance))
  }

  /// Positive-sum with each further γ against γ 1.
  var intensityChanges: [Evidence] {
    let first = row("positive-sum")
    return distinct(rows.compactMap(\.gamma)).filter { $0 != 1 }.map { gamma in
      let row = row("positive-sum", gamma: gamma)
      return Evidence(
        "\(prefix)positive-sum, γ \(shortText(gamma)) − γ 1", .within(Claim.indifference),
        values: row.paired(with: first),
        published: minus(row?.publishedMean, first?.publishedMean))
    }
  }
}

extension AccuracyRow {
  fileprivate func delta(of seed: UInt64) -> Double? {
    deltaSeeds.firstIndex(of: seed).map { deltas[$0] }
  }
}

extension AccuracyRow? {
  /// This row's Δ less the other's, one per seed that both have.
  fileprivate func gains(over other: AccuracyRow?) -> [Double] {
    (self?.deltaSeeds ?? []).compactMap { minus(self?.delta(of: $0), other?.delta(of: $0)) }
  }

  /// This row's accuracies less the other's, one per seed that both have.
  fileprivate func paired(with other: AccuracyRow?) -> [Double] {
    guard let self, let other else { return [] }
    return zip(self.seeds, self.accuracies).compactMap { seed, accuracy in
      other.seeds.firstIndex(of: seed).map { accuracy - other.accuracies[$0] }
    }
  }
}

func minus(_ a: Double?, _ b: Double?) -> Double? {
  guard let a, let b else { return nil }
  return a - b
}

/// From the smallest x to the largest along the least-squares line through all points; nil where
/// one is missing or all x are the same.
private func fittedChange(_ x: [Double], _ y: [Double?]) -> Double? {
  let values = y.compactMap(\.self)
  guard values.count == x.count, let low = x.min(), let high = x.max(), high > low,
    let meanX = Statistics.mean(x), let meanY = Statistics.mean(values)
  else { return nil }
  let products = zip(x, values).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
  let squares = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
  return products / squares * (high - low)
}
