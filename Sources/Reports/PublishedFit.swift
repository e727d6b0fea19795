/// How far a table lies from the paper's, over the rows that have both; runs stopped by `max_steps`
/// show no trained model and are left out.
public struct PublishedFit: Hashable, Sendable {
  /// Mean |ours − paper| of accuracy, points; nil without such rows.
  public let vanillaDifference: Double?
  public let excitedDifference: Double?
  public let vanillaCount: Int
  public let excitedCount: Int
  /// Rows whose Δ has the published sign, of `signs`.
  public let sameSigns: Int
  public let signs: Int

  /// Nil where no row has a published value and one of ours, nor a published Δ and one of ours.
  public init?(_ rows: [AccuracyRow]) {
    let rows = rows.filter { $0.setting.maxSteps == nil }
    func differences(vanilla: Bool) -> [Double] {
      rows.filter { ($0.variant == baselineVariant) == vanilla }.compactMap { row in
        guard let ours = row.accuracyMean, let paper = row.publishedMean else { return nil }
        return abs(ours - paper)
      }
    }
    let (vanilla, excited) = (differences(vanilla: true), differences(vanilla: false))
    let agreements = rows.compactMap(\.signAgrees)
    guard !(vanilla + excited).isEmpty || !agreements.isEmpty else { return nil }
    vanillaDifference = Statistics.mean(vanilla)
    excitedDifference = Statistics.mean(excited)
    vanillaCount = vanilla.count
    excitedCount = excited.count
    signs = agreements.count
    sameSigns = agreements.count(where: \.self)
  }

  /// One line under a table.
  /// - Parameter opposite: names of the rows whose Δ has another sign than the published one.
  func text(opposite: [String]) -> String {
    var parts: [String] = []
    if let vanillaDifference {
      parts.append("\(fixed(vanillaDifference, 2)) points (vanilla, n = \(vanillaCount))")
    }
    if let excitedDifference {
      parts.append("\(fixed(excitedDifference, 2)) points (excited, n = \(excitedCount))")
    }
    var texts = parts.isEmpty ? [] : ["mean |ours − paper|: " + parts.joined(separator: ", ")]
    if signs > 0 { texts.append("sign of Δ as published: \(sameSigns) of \(signs)") }
    var text = texts.joined(separator: "; ")
    if !opposite.isEmpty { text += ", not " + opposite.joined(separator: ", ") }
    return text
  }
}

extension AccuracyRow {
  /// Whether Δ has the published sign; nil without one of them, and of runs stopped by `max_steps`.
  var signAgrees: Bool? {
    guard setting.maxSteps == nil, let deltaMean, let publishedDelta else { return nil }
    return sameSign(deltaMean, publishedDelta)
  }
}

/// Whether two numbers have the same sign, as both are printed (two decimals).
func sameSign(_ a: Double, _ b: Double) -> Bool {
  func sign(_ value: Double) -> Int { (value * 100).rounded().signum }
  return sign(a) == sign(b)
}

extension Double {
  fileprivate var signum: Int { self > 0 ? 1 : self < 0 ? -1 : 0 }
}
