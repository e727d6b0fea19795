import Training

/// Repeated timings of one thing, in seconds each.
public struct Timing: Sendable {
  /// Ascending.
  private let sorted: [Double]

  public var median: Double { sorted[sorted.count / 2] }
  public var fastest: Double { sorted[0] }
  public var slowest: Double { sorted[sorted.count - 1] }
  public var repetitions: Int { sorted.count }

  /// What so large a share of the timings does not exceed, from 0 (the fastest) to 1.
  func quantile(_ share: Double) -> Double {
    sorted[Int((Double(sorted.count - 1) * share).rounded(.up))]
  }

  /// - Parameter seconds: not empty.
  init(_ seconds: [Double]) { sorted = seconds.sorted() }
}

/// Times several things in turn, so that a drift of the machine falls on all alike.
///
/// Each repetition runs a body as often as takes about 20 ms, after a warm-up.
func timeInTurn(
  repetitions: Int, _ bodies: [() throws(TrainingError) -> Void]
) throws(TrainingError) -> [Timing] {
  var counts: [Int] = []
  for body in bodies {
    // The first runs touch memory for the first time.
    _ = try time(body, count: 3)
    counts.append(max(1, Int(0.02 / (try time(body, count: 3) / 3))))
  }
  var seconds = [[Double]](repeating: [], count: bodies.count)
  for _ in 0..<repetitions {
    for (index, body) in bodies.enumerated() {
      seconds[index].append(try time(body, count: counts[index]) / Double(counts[index]))
    }
  }
  return seconds.map(Timing.init)
}

/// Seconds that `count` runs take together.
private func time(
  _ body: () throws(TrainingError) -> Void, count: Int
) throws(TrainingError) -> Double {
  let start = ContinuousClock.now
  for _ in 0..<count { try body() }
  return (ContinuousClock.now - start) / .seconds(1)
}
