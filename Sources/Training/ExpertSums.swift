/// What the experts of one layer did in the training steps of an epoch so far.
struct ExpertSums: Codable, Hashable, Sendable {
  /// How many rows used each expert, [E].
  private(set) var counts: [Int]
  /// Rows of those steps, samples or tokens.
  private(set) var rows = 0
  private var steps = 0
  /// Over the steps, of the multipliers' standard deviation, smallest and largest value.
  private var deviation = 0.0
  private var lowest = 0.0
  private var highest = 0.0
  /// Over the steps, of the router's load-balancing loss; nil without a router.
  private var balance: Double?

  init(experts: Int) { counts = [Int](repeating: 0, count: experts) }

  /// Adds a step.
  /// - Parameters:
  ///   - used: how many of its rows used each expert, [E].
  ///   - modulation: Φ [E]; nil for 1.
  ///   - balance: the router's load-balancing loss, where there is one.
  mutating func add(_ used: [Int32], rows: Int, modulation: [Float]?, balance: Double?) {
    for expert in used.indices { counts[expert] &+= Int(used[expert]) }
    self.rows += rows
    let before = steps == 0 ? 0 : self.balance
    self.balance = before.flatMap { before in balance.map { before + $0 } }
    steps += 1
    guard let modulation else {
      lowest += 1
      highest += 1
      return
    }
    let mean = fold(modulation, from: 0) { $0 + $1 }.sum() / Double(modulation.count)
    let square = fold(modulation, from: 0) { $0 + ($1 - mean) * ($1 - mean) }.sum()
    deviation += (square / Double(modulation.count)).squareRoot()
    lowest += fold(modulation, from: .infinity) { $0.replacing(with: $1, where: $1 .< $0) }.min()
    highest += fold(modulation, from: -.infinity) { $0.replacing(with: $1, where: $1 .> $0) }.max()
  }

  /// Whatever it counts.
  var allCounts: [Int] { counts + [rows, steps] }

  /// Of the rows so far, the share that used each expert, [E].
  var utilization: [Double] { counts.map { Double($0) / Double(max(rows, 1)) } }

  /// The epoch's record.
  /// - Parameters:
  ///   - layer: from 1.
  ///   - test: what the layer then did on the test split.
  func record(layer: Int, test: ExpertUse) -> ExpertRecord {
    let steps = Double(max(steps, 1))
    return ExpertRecord(
      layer: layer, specialization: test.specialization, routingEntropy: test.entropy,
      deadShare: Double(counts.count { $0 == 0 }) / Double(counts.count),
      load: LoadSpread(utilization),
      modulation: ModulationSpread(
        deviation: deviation / steps, lowest: lowest / steps, highest: highest / steps),
      balanceLoss: balance.map { $0 / steps })
  }
}

/// Folds values into eight results, each of every eighth, so that none waits for the one before.
@inline(__always)
private func fold(
  _ values: [Float], from initial: Double,
  _ next: (SIMD8<Double>, SIMD8<Double>) -> SIMD8<Double>
) -> SIMD8<Double> {
  var results = SIMD8<Double>(repeating: initial)
  values.withUnsafeBufferPointer { values in
    var index = 0
    while index + 8 <= values.count {
      var eight = SIMD8<Float>.zero
      for lane in 0..<8 { eight[lane] = values[index + lane] }
      results = next(results, SIMD8<Double>(eight))
      index += 8
    }
    for lane in 0..<(values.count - index) {
      results[lane] = next(results, SIMD8(repeating: Double(values[index + lane])))[lane]
    }
  }
  return results
}
