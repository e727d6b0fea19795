/// Excitation accumulation: utilization averaged over the last W batches, so that small batches get
/// the steadier signal of a large one. The paper names it as future work.
///
/// One window belongs to one expert layer. With W = 1 it gives back what it is given.
public struct UtilizationWindow: Codable, Hashable, Sendable {
  /// W, at least 1.
  public let length: Int
  /// u of the last batches, at most W, the oldest first.
  private var batches: [[Double]] = []

  /// - Parameter length: W; less than 1 counts as 1.
  public init(_ length: Int) { self.length = max(length, 1) }

  /// Whether it holds no more batches than W, each of so many experts: one from a file may not.
  package func fits(experts: Int) -> Bool {
    batches.count <= length && batches.allSatisfy { $0.count == experts }
  }

  /// Adds a batch's u [E].
  /// - Returns: the mean of the last W, or of all there are at the start, [E].
  public mutating func average(adding utilization: [Double]) -> [Double] {
    if batches.count == length { batches.removeFirst() }
    batches.append(utilization)
    var sums = batches[0]
    for batch in batches.dropFirst() {
      for expert in sums.indices { sums[expert] += batch[expert] }
    }
    return sums.map { $0 / Double(batches.count) }
  }
}
