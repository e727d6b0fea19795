import Foundation
import Reports

/// Four steps in the order vanilla, excited, excited, vanilla, in seconds each: whatever slows the
/// machine evenly over them falls on both kinds alike, and each kind follows each other as often.
public struct OverheadBlock: Hashable, Sendable {
  public let vanilla: [Double]
  public let excited: [Double]

  /// - Parameter seconds: of the four steps in their order.
  public init(_ seconds: [Double]) {
    precondition(seconds.count == 4, "a block of \(seconds.count) steps")
    vanilla = [seconds[0], seconds[3]]
    excited = [seconds[1], seconds[2]]
  }

  /// χ of this block alone, percent: the geometric mean of its two pairs' ratios − 1.
  public var percent: Double {
    func logs(_ seconds: [Double]) -> Double { seconds.reduce(0) { $0 + log($1) } }
    return 100 * (exp((logs(excited) - logs(vanilla)) / Double(vanilla.count)) - 1)
  }

  /// How much longer a part of the steps takes with Φ, in percent of a vanilla step.
  /// - Parameter part: seconds of it in the four steps, in their order.
  public func percent(ofPart part: [Double]) -> Double {
    precondition(part.count == 4, "a block of \(part.count) steps")
    return 100 * (part[1] + part[2] - part[0] - part[3]) / (vanilla[0] + vanilla[1])
  }
}

/// χ, the relative extra latency of an excited training step over a vanilla one, percent.
///
/// A session's χ is the median over its blocks: a step that other work on the machine held up moves
/// its own block and not the median, where a mean would follow it.
public struct OverheadEstimate: Hashable, Sendable {
  /// χ of each session.
  public let sessions: [Double]
  /// Over the sessions.
  public let mean: Double
  /// Sample standard deviation over the sessions; nil for one.
  public let std: Double?
  /// Holds χ with 95 %: of the median of all sessions' blocks; nil below six.
  public let interval: Interval?

  /// - Parameter sessions: blocks; those without one are left out.
  /// - Returns: nil without blocks.
  public init?(_ sessions: [[OverheadBlock]]) {
    self.init(percents: sessions.map { $0.map(\.percent) })
  }

  /// - Parameter percents: of each session's blocks.
  public init?(percents: [[Double]]) {
    self.sessions = percents.compactMap(Statistics.median)
    guard let mean = Statistics.mean(self.sessions) else { return nil }
    self.mean = mean
    std = Statistics.sampleStd(self.sessions)
    interval = Statistics.medianInterval(percents.flatMap(\.self))
  }
}
