/// How far the runs behind a table are, each counted once.
public struct RunCounts: Hashable, Sendable {
  public let finished: Int
  public let failed: Int
  /// Not over, with an epoch or more done.
  public let begun: Int
  public let all: Int

  /// - Parameter outcomes: settings may share a run.
  public init(_ outcomes: [RunOutcome]) {
    let runs = Dictionary(outcomes.map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
    let open = runs.values.filter { $0.status == .interrupted }
    finished = runs.values.count { $0.status == .finished }
    begun = open.count { $0.epochs > 0 }
    failed = runs.count - open.count - finished
    all = runs.count
  }

  /// Finished or failed.
  public var over: Int { finished + failed }
  public var areOver: Bool { over == all }

  /// "3 of 18 runs finished, 1 failed, 2 begun".
  public var text: String {
    var parts = ["\(finished) of \(counted(all, "run")) finished"]
    if failed > 0 { parts.append("\(failed) failed") }
    if begun > 0 { parts.append("\(begun) begun") }
    return parts.joined(separator: ", ")
  }
}
