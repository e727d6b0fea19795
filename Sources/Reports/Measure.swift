/// What runs are judged by.
public enum Measure: String, Codable, Hashable, Sendable {
  /// On the test images, percent; more is better.
  case accuracy
  /// exp of the mean cross entropy per token of the test text; less is better.
  case perplexity

  /// How much better a score is than the baseline's: Δ, positive where excitation helps. For
  /// perplexity the paper's Δ PPL, baseline − excited.
  func gain(of score: Double, over baseline: Double) -> Double {
    switch self {
    case .accuracy: score - baseline
    case .perplexity: baseline - score
    }
  }

  func best(_ scores: [Double]) -> Double? {
    switch self {
    case .accuracy: scores.max()
    case .perplexity: scores.min()
    }
  }

  /// Of a column.
  var title: String { self == .accuracy ? "accuracy [%]" : "perplexity" }
  var gainTitle: String { self == .accuracy ? "Δ [points]" : "Δ PPL" }
}

extension SettingRecord {
  public var measure: Measure { model == "gpt_moe" ? .perplexity : .accuracy }
}
