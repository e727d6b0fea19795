import Reports
import Testing

@Suite struct MedianIntervalTests {
  @Test func median() {
    #expect(Statistics.median([]) == nil)
    #expect(Statistics.median([3]) == 3)
    #expect(Statistics.median([9, 1, 2]) == 2)
    #expect(Statistics.median([4, 1, 100, 2]) == 3)
  }

  /// How many values from either end the interval begins, for n values: the largest j with
  /// Σ_{i<j} C(n, i)/2ⁿ ≤ 0.025, by exact fractions in Python.
  static let ranks: [(count: Int, rank: Int)] = [
    // 1/64, then 7/64.
    (6, 1),
    // 10/512, then 46/512.
    (9, 2),
    (20, 6), (1499, 712), (2000, 956),
  ]

  @Test(arguments: ranks) func interval(count: Int, rank: Int) throws {
    // 1 … n, in another order.
    let values = (1...count).map { Double($0 * 7919 % (count + 1)) }.filter { $0 > 0 }
    try #require(Set(values).count == count)
    let interval = try #require(Statistics.medianInterval(values))
    #expect(interval == Interval(low: Double(rank), high: Double(count + 1 - rank)))
  }

  /// All five lie on one side with probability 1/16.
  @Test(arguments: 0...5) func tooFew(count: Int) {
    #expect(Statistics.medianInterval([Double](repeating: 1, count: count)) == nil)
  }
}
