import Reports
import Testing

@Suite struct StatisticsTests {
  @Test func mean() {
    #expect(Statistics.mean([]) == nil)
    #expect(Statistics.mean([7]) == 7)
    // (1 + 2 + 6) / 3
    #expect(Statistics.mean([1, 2, 6]) == 3)
  }

  @Test func sampleStd() {
    #expect(Statistics.sampleStd([]) == nil)
    #expect(Statistics.sampleStd([7]) == nil)
    // One deviation of −1 and one of +1: (1 + 1) / 1 = 2.
    #expect(Statistics.sampleStd([48, 50]) == 2.0.squareRoot())
    // Mean 5; squares 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, over 7.
    #expect(Statistics.sampleStd([2, 4, 4, 4, 5, 5, 7, 9]) == (32.0 / 7).squareRoot())
    #expect(Statistics.sampleStd([3, 3, 3]) == 0)
  }
}

/// Student's t, against values of mpmath with 40 digits: for central probability p and ν degrees of
/// freedom, the root of 1 − I(ν/(ν + t²); ν/2, 1/2) = p, where I is the regularized incomplete
/// beta function. SciPy's `stats.t.ppf` agrees to 15 digits.
@Suite struct StudentTTests {
  /// p, ν, t.
  static let values: [(Double, Int, Double)] = [
    (0.95, 1, 12.706204736174704646), (0.95, 2, 4.3026527297494638523),
    (0.95, 3, 3.1824463052837095927), (0.95, 4, 2.7764451051977943578),
    (0.95, 5, 2.5705818356363155147), (0.95, 9, 2.2621571627982055426),
    (0.95, 10, 2.2281388519862747484), (0.95, 29, 2.0452296421327042982),
    (0.95, 99, 1.9842169515864174951), (0.95, 1000, 1.962339080826408485),
    (0.5, 1, 1), (0.5, 2, 0.81649658092772603273), (0.5, 29, 0.68304386082161315009),
    (0.99, 1, 63.656741162871580995), (0.99, 3, 5.8409093097333572607),
    (0.99, 10, 3.1692726726169512346),
  ]

  @Test(arguments: values) func inverse(probability: Double, degrees: Int, expected: Double) {
    let t = Statistics.studentT(central: probability, degreesOfFreedom: degrees)
    // A rounding of the probability by 1e-16 is 3e-13 of t = 64, where the density is lowest; for
    // ν = 1000 five hundred terms are rounded.
    #expect(abs(t - expected) <= 1e-13 * expected, "\(t)")
  }

  @Test func interval() throws {
    // 6 ± t(2)·1/√3: SciPy's ttest_1samp([5, 6, 7], 0).confidence_interval(0.95).
    let three = try #require(Statistics.tInterval([5, 6, 7]))
    #expect(abs(three.low - 3.51586228824967) < 1e-13)
    #expect(abs(three.high - 8.48413771175033) < 1e-13)
    // −0.75 ± t(1)·√0.125/√2 = −0.75 ± t(1)/4.
    let two = try #require(Statistics.tInterval([-0.5, -1]))
    #expect(abs(two.low - (-0.75 - 12.706204736174704646 / 4)) < 1e-13)
    #expect(abs(two.high - (-0.75 + 12.706204736174704646 / 4)) < 1e-13)
    #expect(Statistics.tInterval([5]) == nil)
    #expect(Statistics.tInterval([]) == nil)
    #expect(Statistics.tInterval([2, 2, 2]) == Interval(low: 2, high: 2))
  }
}

/// The percentile bootstrap, against the sorted means of all nⁿ resamples made with
/// `itertools.product` and exact fractions in Python.
@Suite struct BootstrapTests {
  /// Of 4, 27, 256, 3,125 and 46,656 means, the ⌈2.5 %⌉-th from either end: the 1st, 1st, 7th, 79th
  /// and 1,167th.
  static let enumerated: [([Double], Double, Double)] = [
    ([1, 4], 1, 4), ([5, 6, 7], 5, 7), ([1, 2, 4, 8], 1.5, 6.5), ([1, 2, 4, 8, 16], 2, 11.4),
    ([1, 2, 4, 8, 16, 32], 3, 20), ([-1, 0, 1, 2, 3, 4], 1.0 / 6, 17.0 / 6),
    ([2, 2, 2, 2, 2, 2], 2, 2),
  ]

  @Test(arguments: enumerated) func allResamples(values: [Double], low: Double, high: Double) throws
  {
    for order in [values, values.reversed()] {
      let interval = try #require(Statistics.bootstrapInterval(order))
      #expect(interval == Interval(low: low, high: high))
    }
    // Turned round, it is the same interval turned round.
    let mirrored = try #require(Statistics.bootstrapInterval(values.map { -$0 }))
    #expect(mirrored == Interval(low: -high, high: -low))
  }

  @Test func drawnResamples() throws {
    // All 8⁸ means of 0…7, through the distribution of their sums in Python: 1.875 to 5.125. They
    // are eighths, and 20,000 draws miss the place by one of them at most.
    let interval = try #require(Statistics.bootstrapInterval((0..<8).map(Double.init)))
    #expect(abs(interval.low - 1.875) <= 0.125)
    #expect(abs(interval.high - 5.125) <= 0.125)
    #expect(interval == Statistics.bootstrapInterval((0..<8).reversed().map(Double.init)))
    // Ten of 0, 2, … 18: 5.4 to 12.6, in steps of 0.2.
    let ten = try #require(Statistics.bootstrapInterval((0..<10).map { Double(2 * $0) }))
    #expect(abs(ten.low - 5.4) <= 0.21)
    #expect(abs(ten.high - 12.6) <= 0.21)
  }

  @Test func tooFew() {
    #expect(Statistics.bootstrapInterval([]) == nil)
    #expect(Statistics.bootstrapInterval([3]) == nil)
  }
}

/// The sign-flip test; hits of all 2ⁿ signs counted in Python, p as SciPy's `permutation_test` with
/// `permutation_type='samples'` gives it.
@Suite struct SignFlipTests {
  static let values: [([Double], Double)] = [
    // All of one sign: 2 of 64.
    ([1, 2, 4, 8, 16, 32], 0.03125), ([2, 2, 2, 2, 2, 2], 0.03125),
    // 12 of 64.
    ([-1, 0, 1, 2, 3, 4], 0.1875),
    // 124 of 256.
    ([3, -1, 4, 1, 5, -9, 2, 6], 0.484375),
    // 4 of 1,024: the sign of 0 does not matter.
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0.00390625),
    ([0, 0, 0, 0, 0, 0], 1),
  ]

  @Test(arguments: values) func exact(differences: [Double], p: Double) {
    #expect(Statistics.signFlipP(differences) == p)
    #expect(Statistics.signFlipP(differences.map { -$0 }) == p)
    #expect(Statistics.signFlipP(differences.reversed()) == p)
  }

  /// Sums of the same terms in another order differ by a rounding, and still count as equal.
  @Test func roundingMakesNoDifference() {
    let tenths = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    // |Σ| = 2.1 only with all signs alike.
    #expect(Statistics.signFlipP(tenths) == 0.03125)
    // −0.1 + 0.2 + … + 0.6 = 1.9; as large: the same, all alike, and both turned round.
    #expect(Statistics.signFlipP([-0.1] + tenths.dropFirst()) == 4.0 / 64)
  }

  @Test func fewDifferencesHaveNoP() {
    #expect(Statistics.signFlipP([]) == nil)
    #expect(Statistics.signFlipP([9, 9, 9]) == nil)
    // 2/2⁵ = 0.0625.
    #expect(Statistics.signFlipP([9, 9, 9, 9, 9]) == nil)
    // 2/2ⁿ; one difference leaves no choice.
    #expect((1...6).map(Statistics.smallestSignFlipP) == [1, 0.5, 0.25, 0.125, 0.0625, 0.03125])
  }

  @Test func manyDifferencesAreDrawn() {
    // 30 ones: 2 of 2³⁰ signs are as extreme, so of 100,000 none, and p is 1/100,001.
    #expect(Statistics.signFlipP([Double](repeating: 1, count: 30)) == 1.0 / 100_001)
    // Half +1, half −1: any sum is at least 0.
    let balanced = (0..<30).map { $0.isMultiple(of: 2) ? 1.0 : -1 }
    #expect(Statistics.signFlipP(balanced) == 1)
  }
}
