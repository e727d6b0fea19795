/// One field of a row, by its name in JSON and CSV.
struct RowField: Sendable {
  let name: String
  let value: @Sendable (AccuracyRow) -> JSONValue

  init(_ name: String, _ value: @escaping @Sendable (AccuracyRow) -> JSONValue) {
    self.name = name
    self.value = value
  }

  /// The fields of a table in their order, by what its runs are judged by.
  static func fields(of rows: [AccuracyRow]) -> [RowField] {
    guard rows.first?.setting.measure == .perplexity else { return all }
    let names = [
      "accuracies": "perplexities", "accuracy_mean": "perplexity_mean",
      "accuracy_std": "perplexity_std",
    ]
    var fields = all.map { RowField(names[$0.name] ?? $0.name, $0.value) }
    if let place = fields.firstIndex(where: { $0.name == "delta_seeds" }) {
      let more = [
        RowField("word_perplexity_mean") { computed($0.wordMean) },
        RowField("validation_perplexity_mean") { computed($0.validationMean) },
      ]
      fields.insert(contentsOf: more, at: place)
    }
    return fields
  }

  private static let all: [RowField] = [
    RowField("optimizer") { .string($0.setting.optimizer) },
    RowField("variant") { .string($0.variant) },
    RowField("gamma") { .optional($0.gamma) },
    RowField("lr") { .number($0.setting.lr) },
    RowField("batch_size") { .integer($0.setting.batchSize) },
    RowField("sparsity") { .optional($0.setting.sparsity) },
    RowField("schedule") { .string($0.setting.schedule) },
    RowField("hidden_layers") { .optional($0.setting.hiddenLayers) },
    RowField("width") { .optional($0.setting.width) },
    RowField("model") { .string($0.setting.model) },
    RowField("dataset") { .string($0.setting.dataset) },
    RowField("epochs") { .integer($0.setting.epochs) },
    RowField("momentum") { .optional($0.setting.momentum) },
    RowField("axes") { .object($0.setting.varying.map { ($0.key, .string($0.value)) }) },
    RowField("seeds") { .array($0.seeds.map { .unsigned($0) }) },
    RowField("accuracies") { .array($0.accuracies.map(computed)) },
    RowField("accuracy_mean") { computed($0.accuracyMean) },
    RowField("accuracy_std") { computed($0.accuracyStd) },
    RowField("delta_seeds") { .array($0.deltaSeeds.map { .unsigned($0) }) },
    RowField("deltas") { .array($0.deltas.map(computed)) },
    RowField("delta_mean") { computed($0.deltaMean) },
    RowField("delta_std") { computed($0.deltaStd) },
    RowField("delta_ci95_t") { interval($0.deltaCI95T) },
    RowField("delta_ci95_bootstrap") { interval($0.deltaCI95Bootstrap) },
    RowField("sign_flip_p") { .optional($0.signFlipP) },
    RowField("published_mean") { .optional($0.publishedMean) },
    RowField("published_std") { .optional($0.publishedStd) },
    RowField("published_delta") { .optional($0.publishedDelta) },
    RowField("sign_agrees") { $0.signAgrees.map { .boolean($0) } ?? .null },
    RowField("seconds_per_epoch") { computed($0.secondsPerEpoch) },
    RowField("failures") { .array($0.failures.map(failure)) },
  ]

  /// Lower end, upper end.
  private static func interval(_ interval: Interval?) -> JSONValue {
    interval.map { .array([computed($0.low), computed($0.high)]) } ?? .null
  }

  /// A number that was calculated, without the digits in which binary fractions miss decimal ones:
  /// 45.1 − 40 is 5.100000000000001.
  private static func computed(_ value: Double) -> JSONValue {
    let scale = 1e9
    return .number((value * scale).rounded() / scale)
  }

  private static func computed(_ value: Double?) -> JSONValue {
    guard let value else { return .null }
    return computed(value)
  }

  private static func failure(_ failure: RunFailure) -> JSONValue {
    .object([
      ("label", .string(failure.label)), ("seed", .unsigned(failure.seed)),
      ("reason", .string(failure.reason)),
    ])
  }
}
