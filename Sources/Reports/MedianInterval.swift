import Foundation

extension Statistics {
  /// The middle value, or the mean of the two in the middle; nil without values.
  public static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  /// The interval that holds the median of what the values are drawn from with `confidence` at least,
  /// whatever their distribution: from the j-th smallest value to the j-th largest, j being the largest
  /// for which fewer than j of n fair coins fall on one side with probability (1 − confidence)/2 at most.
  ///
  /// - Returns: nil below six values, of which even all do not hold it so surely.
  public static func medianInterval(_ values: [Double]) -> Interval? {
    let sorted = values.sorted()
    let count = Double(sorted.count)
    // P(i heads), as a logarithm: 2⁻ⁿ is no Double for large n.
    var term = -count * log(2)
    var below = 0.0
    var rank = 0
    while rank < sorted.count / 2 {
      below += exp(term)
      guard below <= (1 - confidence) / 2 else { break }
      term += log((count - Double(rank)) / Double(rank + 1))
      rank += 1
    }
    guard rank > 0 else { return nil }
    return Interval(low: sorted[rank - 1], high: sorted[sorted.count - rank])
  }
}
