extension Statistics {
  /// The middle 95 % of the means that resampling the values with replacement gives (percentile
  /// bootstrap), an interval that assumes no distribution.
  ///
  /// Up to 6 values all nⁿ resamples are gone through, so the result is exact; beyond that 20,000
  /// are drawn from a fixed seed, so the result is the same each time. The order of the values
  /// does not matter. Of three values 2 · 1/27 of the means are extremes, so that the interval runs
  /// from the smallest to the largest: with few values it is narrower than it should be.
  ///
  /// - Returns: nil below two values.
  public static func bootstrapInterval(_ values: [Double]) -> Interval? {
    guard values.count >= 2 else { return nil }
    let values = values.sorted()
    var means = values.count <= mostEnumerated ? allMeans(values) : drawnMeans(values)
    means.sort()
    // As many means below the interval as above it, at most 2.5 % of them each.
    let outside = (1 - confidence) / 2 * Double(means.count)
    // 0.025 · N is rarely whole, and then must not fall below it by a rounding.
    let first = max(0, Int((outside - 1e-9).rounded(.up)) - 1)
    return Interval(low: means[first], high: means[means.count - 1 - first])
  }

  /// 6⁶ = 46,656 resamples take milliseconds; 7⁷ would be 823,543.
  private static let mostEnumerated = 6
  private static let draws = 20_000

  private static func allMeans(_ values: [Double]) -> [Double] {
    let count = values.count
    var sums = [0.0]
    for _ in 0..<count { sums = sums.flatMap { sum in values.map { sum + $0 } } }
    return sums.map { $0 / Double(count) }
  }

  private static func drawnMeans(_ values: [Double]) -> [Double] {
    var random = SplitMix64(seed: 0)
    return (0..<draws).map { _ in
      var sum = 0.0
      for _ in values { sum += values[random.below(values.count)] }
      return sum / Double(values.count)
    }
  }
}

/// The generator SplitMix64 (Steele, Lea and Flood, 2014): enough for resampling, and the same on
/// every machine.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// A whole number in 0..<count; its bias is below count / 2⁶⁴.
  mutating func below(_ count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }
}
