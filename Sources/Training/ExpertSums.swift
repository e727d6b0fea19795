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

  init(experts: Int) { counts = [Int](repeating: 0, count: experts) }

  /// Adds a step.
  /// - Parameters:
  ///   - used: how many of its rows used each expert, [E].
  ///   - modulation: Φ [E]; nil for 1.
  mutating func add(_ used: [Int32], rows: Int, modulation: [Float]?) {
    for expert in counts.indices { counts[expert] += Int(used[expert]) }
    self.rows += rows
    steps += 1
    guard let modulation else {
      lowest += 1
      highest += 1
      return
    }
    var (sum, least, most) = (0.0, Double.infinity, -Double.infinity)
    for factor in modulation {
      sum += Double(factor)
      least = min(least, Double(factor))
      most = max(most, Double(factor))
    }
    let mean = sum / Double(modulation.count)
    let square = modulation.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    deviation += (square / Double(modulation.count)).squareRoot()
    lowest += least
    highest += most
  }

  /// The epoch's record.
  /// - Parameters:
  ///   - layer: from 1.
  ///   - test: what the layer then did on the test split.
  func record(layer: Int, test: ExpertUse) -> ExpertRecord {
    let steps = Double(max(steps, 1))
    return ExpertRecord(
      layer: layer, specialization: test.specialization, routingEntropy: test.entropy,
      deadShare: Double(counts.count { $0 == 0 }) / Double(counts.count),
      load: LoadSpread(counts.map { Double($0) / Double(max(rows, 1)) }),
      modulation: ModulationSpread(
        deviation: deviation / steps, lowest: lowest / steps, highest: highest / steps))
  }
}
