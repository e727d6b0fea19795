import Excitation
import Foundation
import Testing

@Suite("Φ: properties and worked examples")
struct PhiTests {
  static let epsilon = 1e-6
  static let gammas = [0.1, 0.5, 1, 2, 3, 10, 50]
  /// Variants whose multipliers average to 1.
  static let meanOne: [ExcitationVariant] = [.zeroSum, .expDiff, .randomBoost, .inverted]

  /// Utilizations as training meets them, and the corners.
  static let many: [Double] = (0..<128).map { (n: Int) -> Double in Double(n * 37 % 128) / 512 }
  static let everyThirdUnused: [Double] = (0..<33).map { (n: Int) -> Double in
    n % 3 == 0 ? 0 : Double(n) / 32
  }
  static let layers: [[Double]] = [
    [0.1, 0.2, 0.3, 0.4],
    [0.5, 0, 0.25, 0.25],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
    [1, 1, 1, 1],
    [0.25, 0.25, 0.25, 0.25],
    [1, 0.001953125],
    [0.7],
    many,
    everyThirdUnused,
  ]

  /// A fixed permutation: every expert gets the multiplier of the next, the last the first's.
  static func rotation(_ count: Int) -> [UInt32] {
    (0..<count).map { UInt32(($0 + 1) % count) }
  }

  static func multipliers(
    _ u: [Double], _ variant: ExcitationVariant, gamma: Double = 1
  ) -> [Double] {
    phi(u, variant: variant, gamma: gamma, epsilon: epsilon, permutation: rotation(u.count))
  }

  static func isClose(_ a: [Double], _ b: [Double], within: Double) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { ($0 - $1).magnitude <= within * max(1, $1) }
  }

  // MARK: Worked examples

  /// u = (0.1, 0.2, 0.3, 0.4), E[u] = 0.25.
  static let four = [0.1, 0.2, 0.3, 0.4]

  @Test("four experts by hand, γ = 1")
  func byHand() {
    func expect(
      _ variant: ExcitationVariant, _ expected: [Double],
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let found = Self.multipliers(Self.four, variant)
      // A few roundings of 2⁻⁵³ each.
      #expect(
        Self.isClose(found, expected, within: 1e-15), "\(variant): \(found)",
        sourceLocation: sourceLocation)
    }
    expect(.vanilla, [1, 1, 1, 1])
    // u / 0.25.
    expect(.zeroSum, [0.4, 0.8, 1.2, 1.6])
    expect(.positiveSum, [1, 1, 1.2, 1.6])
    // The zero-sum multiplier of the next expert.
    expect(.randomBoost, [0.8, 1.2, 1.6, 0.4])
    // 1/u = 10, 5, 10/3, 2.5 with mean 125/24: 240/125, 120/125, 80/125, 60/125.
    expect(.inverted, [1.92, 0.96, 0.64, 0.48])
    // e^u = 1.105170918, 1.221402758, 1.349858808, 1.491824698 with mean 1.292064295.
    let powers = Self.four.map { exp($0) }
    let mean = (powers[0] + powers[1] + powers[2] + powers[3]) / 4
    expect(.expDiff, powers.map { $0 / mean })
    #expect((mean - 1.292064295).magnitude < 1e-9)
    // relu(u − 0.25) = 0, 0, 0.05, 0.15: (1 + 1 + e^0.05 + e^0.15)/4 for all.
    let energy = (2 + exp(0.05) + exp(0.15)) / 4
    expect(.globalExp, [energy, energy, energy, energy])
  }

  @Test("four experts by hand, γ = 2")
  func byHandSquared() {
    // u² = 0.01, 0.04, 0.09, 0.16 with mean 0.075.
    let expected = [0.01 / 0.075, 0.04 / 0.075, 1.2, 0.16 / 0.075]
    #expect(Self.isClose(Self.multipliers(Self.four, .zeroSum, gamma: 2), expected, within: 1e-14))
    #expect(
      Self.isClose(
        Self.multipliers(Self.four, .positiveSum, gamma: 2), [1, 1, 1.2, 0.16 / 0.075],
        within: 1e-14))
    // u⁻² = 100, 25, 100/9, 6.25 with mean 35.5902777… = 5125/144: 100·144/5125 = 2.809756….
    let inverted = [100, 25, 100.0 / 9, 6.25].map { $0 * 144 / 5125 }
    #expect(Self.isClose(Self.multipliers(Self.four, .inverted, gamma: 2), inverted, within: 1e-14))
  }

  // MARK: Properties

  @Test("multipliers average to 1", arguments: meanOne)
  func averages(variant: ExcitationVariant) {
    for u in Self.layers {
      for gamma in Self.gammas {
        let found = Self.multipliers(u, variant, gamma: gamma)
        let mean = found.reduce(0, +) / Double(found.count)
        // 128 multipliers, each and their sum rounded by 2⁻⁵³ of at most 128.
        #expect((mean - 1).magnitude < 1e-13, "γ \(gamma), u \(u): mean \(mean)")
      }
    }
  }

  @Test("positive-sum is at least 1, and zero-sum where that is")
  func positiveSum() {
    for u in Self.layers {
      for gamma in Self.gammas {
        let zero = Self.multipliers(u, .zeroSum, gamma: gamma)
        let positive = Self.multipliers(u, .positiveSum, gamma: gamma)
        #expect(positive == zero.map { $0 >= 1 ? $0 : 1 })
      }
    }
  }

  @Test("global-exp is one number of at least 1 for all")
  func globalExp() {
    for u in Self.layers {
      for gamma in Self.gammas {
        let found = Self.multipliers(u, .globalExp, gamma: gamma)
        #expect(Set(found).count == 1)
        #expect(found[0] >= 1)
        // Above 1 exactly where some expert is above the mean.
        let isEven = Set(u).count == 1
        #expect((found[0] > 1) == !isEven, "γ \(gamma), u \(u): \(found[0])")
      }
    }
  }

  @Test("random-boost is zero-sum, permuted as told")
  func randomBoost() {
    for u in Self.layers {
      let zero = Self.multipliers(u, .zeroSum, gamma: 2)
      let boosted = Self.multipliers(u, .randomBoost, gamma: 2)
      #expect(boosted.sorted() == zero.sorted())
      #expect(boosted == Self.rotation(u.count).map { zero[Int($0)] })
    }
  }

  @Test("γ = 0 gives 1 to every expert, used or not", arguments: ExcitationVariant.allCases)
  func gammaZero(variant: ExcitationVariant) {
    for u in Self.layers {
      #expect(Self.multipliers(u, variant, gamma: 0) == u.map { _ in 1 }, "u \(u)")
    }
  }

  @Test("γ → 0 tends to 1 for every used expert", arguments: ExcitationVariant.allCases)
  func gammaToZero(variant: ExcitationVariant) {
    // u^γ = 1 + γ·ln u + …; |ln u| ≤ 6.3 here, so Φ − 1 is at most twice 6.3·γ.
    for u in Self.layers where u.allSatisfy({ $0 > 0 }) {
      for gamma in [1e-3, 1e-6] {
        let found = Self.multipliers(u, variant, gamma: gamma)
        #expect(
          Self.isClose(found, u.map { _ in 1 }, within: 12.6 * gamma), "γ \(gamma): \(found)")
      }
    }
  }

  @Test(
    "experts used equally, whether never, always (K = width) or in between, all get 1",
    arguments: ExcitationVariant.allCases)
  func equal(variant: ExcitationVariant) {
    for share in [0, 0.001953125, 0.25, 1] {
      for count in [1, 4, 33] {
        for gamma in Self.gammas {
          let u = [Double](repeating: share, count: count)
          let found = Self.multipliers(u, variant, gamma: gamma)
          // Powers differ from their mean by its rounding only.
          #expect(
            Self.isClose(found, u.map { _ in 1 }, within: 1e-14),
            "u \(share), E \(count), γ \(gamma): \(found)")
        }
      }
    }
  }

  @Test("one expert takes all: E times the mean, nothing for the others")
  func oneHot() {
    // E[u^γ] = 1/4, so 4 and 0; positive-sum lifts the zeros to 1.
    for gamma in Self.gammas {
      #expect(Self.multipliers([1, 0, 0, 0], .zeroSum, gamma: gamma) == [4, 0, 0, 0])
      #expect(Self.multipliers([1, 0, 0, 0], .positiveSum, gamma: gamma) == [4, 1, 1, 1])
    }
    // e against three times 1: mean (e + 3)/4.
    let mean = (exp(1.0) + 3) / 4
    let expected = [exp(1.0), 1, 1, 1].map { $0 / mean }
    #expect(Self.isClose(Self.multipliers([1, 0, 0, 0], .expDiff), expected, within: 1e-15))
    // ε⁻¹ = 10⁶ for unused experts against 1: mean (1 + 3·10⁶)/4.
    let lifted = [1, 1e6, 1e6, 1e6].map { $0 * 4 / (1 + 3e6) }
    #expect(Self.isClose(Self.multipliers([1, 0, 0, 0], .inverted), lifted, within: 1e-12))
    // relu(1 − ¼) = ¾: (e^¾ + 3)/4.
    let energy = (exp(0.75) + 3) / 4
    #expect(
      Self.isClose(
        Self.multipliers([1, 0, 0, 0], .globalExp), [energy, energy, energy, energy],
        within: 1e-15))
  }

  @Test("inverted clamps u at ε: experts below it are one to another as equals")
  func clamp() {
    let found = phi([0, 1e-9, 1e-3], variant: .inverted, gamma: 1, epsilon: 1e-3)
    #expect(found == [1, 1, 1])
  }

  @Test("the more an expert is used, the larger its multiplier; for inverted the smaller")
  func monotone() {
    for u in Self.layers {
      let order = u.indices.sorted { u[$0] < u[$1] }
      for gamma in Self.gammas {
        for variant: ExcitationVariant in [.zeroSum, .positiveSum, .expDiff, .inverted] {
          let found = Self.multipliers(u, variant, gamma: gamma)
          for (less, more) in zip(order, order.dropFirst()) {
            if variant == .inverted {
              #expect(found[less] >= found[more], "\(variant), γ \(gamma), u \(u)")
            } else {
              #expect(found[less] <= found[more], "\(variant), γ \(gamma), u \(u)")
            }
          }
        }
      }
    }
  }

  @Test("no expert's multiplier depends on the others' order")
  func equivariant() {
    for variant: ExcitationVariant in [.zeroSum, .positiveSum, .expDiff, .inverted] {
      let u = [0.4, 0.1, 0.3, 0.2]
      let found = Self.multipliers(u, variant)
      let straight = Self.multipliers(Self.four, variant)
      #expect(
        Self.isClose(
          found, [straight[3], straight[0], straight[2], straight[1]], within: 1e-15))
    }
  }

  @Test("finite and not negative for γ up to 50", arguments: ExcitationVariant.allCases)
  func finite(variant: ExcitationVariant) {
    for u in Self.layers {
      for gamma in Self.gammas {
        let found = Self.multipliers(u, variant, gamma: gamma)
        #expect(found.allSatisfy { $0.isFinite && $0 >= 0 }, "γ \(gamma), u \(u): \(found)")
      }
    }
  }

  @Test("Float agrees with Double", arguments: ExcitationVariant.allCases)
  func floats(variant: ExcitationVariant) {
    for u in Self.layers {
      for gamma in [0, 0.5, 1, 2, 3] {
        let found = phi(
          u.map { Float($0) }, variant: variant, gamma: Float(gamma), epsilon: Float(Self.epsilon),
          permutation: Self.rotation(u.count))
        let exact = Self.multipliers(u, variant, gamma: gamma)
        // Roundings of 2⁻²⁴ = 6e-8: of u (γ times), of the power and of the mean over up to 128.
        #expect(
          Self.isClose(found.map { Double($0) }, exact, within: 1e-5), "γ \(gamma), u \(u)")
      }
    }
  }

  // MARK: Utilization and names

  @Test("utilization is the share of the rows")
  func shares() {
    // 512 rows: exact in binary.
    let u: [Double] = utilization(counts: [0, 1, 256, 512], rows: 512)
    let exact: [Double] = [0, 0.001953125, 0.5, 1]
    #expect(u == exact)
    let single: [Float] = utilization(counts: [1, 2], rows: 3)
    let thirds: [Float] = [1 / 3, 2 / 3]
    #expect(single == thirds)
  }

  @Test("variants have the names that configs use")
  func names() {
    let names: [String] = ExcitationVariant.allCases.map { $0.rawValue }
    let expected: [String] = [
      "vanilla", "zero-sum", "positive-sum", "exp-diff", "global-exp", "random-boost", "inverted",
    ]
    #expect(names == expected)
    let config = ExcitationConfig(variant: .inverted)
    #expect(config.gamma == 1)
    #expect(config.epsilon == 1e-6)
  }
}
