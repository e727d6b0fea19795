/// How often a step without and one with Φ are timed, one after the other.
public struct OverheadPlan: Hashable, Sendable {
  public var sessions: Int
  /// Pairs at the start of a session that are not timed.
  public var burnIn: Int
  /// Pairs that are: even, since two make an ``OverheadBlock``.
  public var trials: Int

  /// - Parameter trials: an odd number counts as the next even one.
  public init(sessions: Int, burnIn: Int, trials: Int) {
    self.sessions = sessions
    self.burnIn = burnIn
    self.trials = trials + trials % 2
  }

  /// The paper's (Table 8).
  public static let paper = OverheadPlan(sessions: 3, burnIn: 100, trials: 500)

  /// Fewer do not give an interval with three sessions.
  private static let leastTrials = 4

  /// This plan where it takes no longer than `seconds`, else one with burn-in and trials cut alike, but
  /// never below 1 and 4.
  /// - Parameter step: seconds of one step.
  public func fitted(to seconds: Double, step: Double) -> OverheadPlan {
    let affordable = seconds / Double(sessions) / (2 * step)
    let share = affordable / Double(burnIn + trials)
    guard share < 1 else { return self }
    func cut(_ count: Int, least: Int) -> Int {
      min(count, max(least, Int(Double(count) * share)))
    }
    let trials = cut(trials, least: Self.leastTrials)
    return OverheadPlan(
      sessions: sessions, burnIn: cut(burnIn, least: 1), trials: trials - trials % 2)
  }
}
