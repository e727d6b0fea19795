/// Where a run of the paper's vision transformers ends, of Figures 6 and 11: for vanilla and for an
/// excited run, of which the paper does not say by which variant.
struct PublishedTransformer: Sendable {
  static let model = "moe_vit"
  private static let metric = "accuracy_percent"
  private static let excited = "excited"

  let dataset: String
  let optimizer: String
  let layers: Int
  let width: Int
  let isExcited: Bool
  /// Percent.
  let accuracy: Double

  /// Nil for a row of something else. Its model is as "moe_vit E=64 L=4 d=128 K=2 17M".
  init?(_ row: PublishedValues.Row) throws(ReportsError) {
    let model = try row.text("model")
    func number(_ name: String) -> Int? {
      model.split(separator: " ").first { $0.hasPrefix("\(name)=") }
        .flatMap { Int($0.dropFirst(name.count + 1)) }
    }
    guard model.hasPrefix("\(Self.model) "), try row.text("metric") == Self.metric,
      let layers = number("L"), let width = number("d")
    else { return nil }
    dataset = try row.text("dataset")
    optimizer = try row.text("optimizer")
    self.layers = layers
    self.width = width
    isExcited = try row.text("variant") == Self.excited
    accuracy = try row.number("mean")
  }
}

extension [PublishedTransformer] {
  /// The paper's value stands beside both of its targeted variants.
  func value(
    for setting: SettingRecord, variant: String, gamma: Double?
  ) -> PublishedValues.Value? {
    let isVanilla = variant == baselineVariant
    guard isVanilla || (["zero-sum", "positive-sum"].contains(variant) && gamma == 1) else {
      return nil
    }
    func end(isExcited: Bool) -> Double? {
      first {
        $0.dataset == setting.dataset && $0.optimizer == setting.optimizer
          && $0.layers == setting.hiddenLayers && $0.width == setting.width
          && $0.isExcited == isExcited
      }?.accuracy
    }
    guard let own = end(isExcited: !isVanilla) else { return nil }
    let delta = isVanilla ? nil : end(isExcited: false).map { ((own - $0) * 100).rounded() / 100 }
    return PublishedValues.Value(mean: own, std: nil, delta: delta)
  }
}
