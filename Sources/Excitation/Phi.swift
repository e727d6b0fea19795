import RealModule

/// Multipliers Φ(u, γ) of the experts of one layer, in place of each other's absolute scale: every
/// average runs over the layer's experts (equations 6-10).
///
/// - Parameters:
///   - utilization: u [E], each in [0, 1]: the share of the batch that used the expert.
///   - gamma: γ, how strongly to tell experts apart.
///   - epsilon: lower clamp on u, for `inverted` alone.
///   - permutation: for `random-boost`, which zero-sum multiplier each expert gets, [E].
/// - Returns: Φ [E], 1 for every expert of a layer that nothing used (all-zero u leaves the
///   power means 0/0, and no update was targeted).
/// - Source: "Excitation: Momentum For Experts", section 3.2.
@inlinable
public func phi<Scalar: Real & BinaryFloatingPoint>(
  _ utilization: [Scalar], variant: ExcitationVariant, gamma: Scalar = 1,
  epsilon: Scalar = 1e-6, permutation: [UInt32] = []
) -> [Scalar] {
  func overMean(_ powers: [Scalar]) -> [Scalar] {
    let mean = powers.reduce(0, +) / Scalar(powers.count)
    return mean > 0 ? powers.map { $0 / mean } : powers.map { _ in 1 }
  }
  switch variant {
  case .vanilla:
    return utilization.map { _ in 1 }
  case .zeroSum:
    if gamma == 1 { return overMean(utilization) }
    // Relative to the largest, so that a large γ does not round all powers to 0. pow(0, 0) is 1, so
    // that γ = 0 means Φ = 1 for unused experts too.
    let largest = utilization.max() ?? 0
    guard largest > 0 else { return utilization.map { _ in 1 } }
    return overMean(utilization.map { gamma == 0 ? 1 : Scalar.pow($0 / largest, gamma) })
  case .positiveSum:
    return phi(utilization, variant: .zeroSum, gamma: gamma, epsilon: epsilon).map { max(1, $0) }
  case .expDiff:
    // Relative to the largest, so that a large γ does not overflow.
    let largest = utilization.max() ?? 0
    return overMean(utilization.map { Scalar.exp(gamma * ($0 - largest)) })
  case .globalExp:
    let mean = utilization.reduce(0, +) / Scalar(utilization.count)
    let energy = utilization.map { Scalar.exp(gamma * max(0, $0 - mean)) }.reduce(0, +)
    return utilization.map { _ in energy / Scalar(utilization.count) }
  case .randomBoost:
    precondition(
      permutation.count == utilization.count,
      "a permutation of \(permutation.count) for \(utilization.count) experts")
    let targeted = phi(utilization, variant: .zeroSum, gamma: gamma, epsilon: epsilon)
    return permutation.map { targeted[Int($0)] }
  case .inverted:
    // Relative to the smallest, whose power is the largest.
    let smallest = max(utilization.min() ?? 0, epsilon)
    return overMean(utilization.map { Scalar.pow(max($0, epsilon) / smallest, -gamma) })
  }
}

/// u [E] from counts [E] of how many of `rows` samples (or tokens) used each expert (equation 1).
///
/// Without a sample nothing is used: u is 0.
@inlinable
public func utilization<Scalar: BinaryFloatingPoint>(counts: [Int32], rows: Int) -> [Scalar] {
  counts.map { Scalar($0) / Scalar(max(rows, 1)) }
}

/// u [E] from the experts that each sample (or token) of a batch picked (equation 1).
///
/// - Parameters:
///   - picks: for each sample, the numbers of the experts that it used, each once: its winners, or
///     the experts that its router chose.
///   - experts: E.
@inlinable
public func utilization<Scalar: BinaryFloatingPoint>(
  picks: some Collection<some Sequence<Int>>, experts: Int
) -> [Scalar] {
  var counts = [Int32](repeating: 0, count: experts)
  for picked in picks {
    for expert in picked { counts[expert] += 1 }
  }
  return utilization(counts: counts, rows: picks.count)
}
