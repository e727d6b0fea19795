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
    for (expert, used) in used.enumerated() { counts[expert] &+= Int(used) }
    self.rows += rows
    let before = steps == 0 ? 0 : self.balance
    self.balance = before.flatMap { before in balance.map { before + $0 } }
    steps += 1
    guard let modulation else {
      lowest += 1
      highest += 1
      return
    }
    var (sum, least, most) = (0.0, Float.infinity, -Float.infinity)
    for factor in modulation {
      sum += Double(factor)
      least = factor < least ? factor : least
      most = factor > most ? factor : most
    }
    let mean = sum / Double(modulation.count)
    var square = 0.0
    for factor in modulation { square += (Double(factor) - mean) * (Double(factor) - mean) }
    deviation += (square / Double(modulation.count)).squareRoot()
    lowest += Double(least)
    highest += Double(most)
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
