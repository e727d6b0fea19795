import Excitation

/// Linear experts, each y = a·x₁ + b·x₂ + c. A fixed router sends every sample to the one expert
/// of its kind, and some kinds are far more frequent than others.
struct Mixture {
  static let experts = 6
  /// a, b and c.
  static let weightsPerExpert = 3

  /// [E, 3], row-major.
  var weights = [Double](repeating: 0, count: experts * weightsPerExpert)

  /// Mean squared error over samples.
  func loss(_ samples: [Sample]) -> Double {
    samples.reduce(0) { $0 + error($1) * error($1) } / Double(samples.count)
  }

  /// ∂loss/∂weights, [E, 3].
  func gradient(_ samples: [Sample]) -> [Double] {
    var gradient = [Double](repeating: 0, count: weights.count)
    for sample in samples {
      let scale = 2 * error(sample) / Double(samples.count)
      for (index, input) in sample.inputs.enumerated() {
        gradient[sample.expert * Self.weightsPerExpert + index] += scale * input
      }
    }
    return gradient
  }

  private func error(_ sample: Sample) -> Double {
    let row = weights[(sample.expert * Self.weightsPerExpert)...].prefix(Self.weightsPerExpert)
    return zip(row, sample.inputs).reduce(0) { $0 + $1.0 * $1.1 } - sample.target
  }

  /// Plain gradient descent, its update scaled by Φ of how often the batch used each expert.
  mutating func train(_ samples: [Sample], variant: ExcitationVariant, steps: Int, rate: Double) {
    for _ in 0..<steps {
      let delta = gradient(samples).map { -rate * $0 }
      let used: [Double] = utilization(picks: samples.map { [$0.expert] }, experts: Self.experts)
      applyUpdate(delta, to: &weights, modulation: phi(used, variant: variant))
    }
  }
}

/// One input with the constant 1 behind it, what the right expert makes of it, and that expert.
struct Sample {
  let inputs: [Double]
  let target: Double
  let expert: Int

  /// Samples of which expert e gets a share in proportion to 1/(e + 1).
  static func draw(_ count: Int) -> [Sample] {
    var random = Congruential()
    func uniform() -> Double { Double.random(in: -1...1, using: &random) }
    // As far from the zeros that training starts at for every expert.
    let truth = (0..<Mixture.experts).map { _ in
      (0..<Mixture.weightsPerExpert).map { _ in Bool.random(using: &random) ? 1.0 : -1.0 }
    }
    let shares = (0..<Mixture.experts).map { 1 / Double($0 + 1) }
    return (0..<count).map { _ in
      var rest = Double.random(in: 0..<shares.reduce(0, +), using: &random)
      var expert = 0
      while expert + 1 < shares.count, rest >= shares[expert] {
        rest -= shares[expert]
        expert += 1
      }
      let inputs = [uniform(), uniform(), 1]
      let target = zip(truth[expert], inputs).reduce(0) { $0 + $1.0 * $1.1 }
      return Sample(inputs: inputs, target: target, expert: expert)
    }
  }
}

/// A generator that draws the same numbers each time; constants from Knuth's MMIX.
struct Congruential: RandomNumberGenerator {
  private var state: UInt64 = 1

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    // The low bits repeat early.
    return state ^ state >> 33
  }
}
