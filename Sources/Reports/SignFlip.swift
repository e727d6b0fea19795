extension Statistics {
  /// What a p must not exceed to be called significant.
  public static let significance = 0.05

  /// The smallest p that a sign-flip test of so many differences can give: the two assignments
  /// of signs that make all of them agree, of 2ⁿ.
  public static func smallestSignFlipP(_ count: Int) -> Double {
    var p = 1.0
    for _ in 1..<max(count, 1) { p /= 2 }
    return p
  }

  /// Two-sided p of the sign-flip test: how often |Σ ±d| is at least |Σ d|, over all 2ⁿ signs. If
  /// two variants did equally well, a difference would be as likely to have the other sign.
  ///
  /// Exact up to 20 differences; beyond that 100,000 signs are drawn from a fixed seed, and p is
  /// (hits + 1) / (draws + 1).
  ///
  /// - Returns: nil where even the smallest p is above `significance`: below 6 differences.
  public static func signFlipP(_ differences: [Double]) -> Double? {
    guard smallestSignFlipP(differences.count) <= significance else { return nil }
    let observed = abs(differences.reduce(0, +))
    // Sums that are equal but for the order of their terms count as equal.
    let slack = 1e-12 * differences.reduce(0) { $0 + abs($1) }
    func isHit(_ sum: Double) -> Bool { abs(sum) >= observed - slack }

    if differences.count <= mostFlipped {
      // All signs turned round give the same |sum|, so the first one stays.
      let rest = differences.count - 1
      var hits = 0
      for signs in 0..<(1 << rest) {
        var sum = differences[0]
        for index in 0..<rest {
          let difference = differences[index + 1]
          sum += signs >> index & 1 == 0 ? difference : -difference
        }
        if isHit(sum) { hits += 1 }
      }
      return Double(hits) / Double(1 << rest)
    }
    var random = SplitMix64(seed: 0)
    var hits = 0
    for _ in 0..<flips {
      var sum = 0.0
      for difference in differences { sum += random.below(2) == 0 ? difference : -difference }
      if isHit(sum) { hits += 1 }
    }
    return Double(hits + 1) / Double(flips + 1)
  }

  private static let mostFlipped = 20
  private static let flips = 100_000
}
