import Excitation
import Foundation
import Layers

/// Where a run stands between two steps. With the weights and the optimizer's state it is all that
/// a run needs to go on: what is drawn at random comes from streams keyed by seed, epoch and step.
public struct RunPosition: Codable, Hashable, Sendable {
  /// An epoch that is over.
  public struct Epoch: Hashable, Sendable {
    public let record: EpochRecord
    public let seconds: EpochSeconds
    /// Per expert layer; empty where experts were not measured throughout the epoch.
    public let experts: [ExpertRecord]
  }

  /// The epochs that are over, the first first.
  public internal(set) var history: [Epoch] = []
  /// Batches done in the epoch under way.
  public internal(set) var batch = 0
  /// Over those batches.
  var sum = LossSum()
  /// Per expert layer, over those batches; nil where experts are not measured in this epoch.
  var experts: [ExpertSums]?
  /// η of the first of them.
  var rate = 0.0
  /// Seconds they took.
  var seconds = 0.0
  /// Per expert layer, the last batches of the run, for Φ; nil where it takes one batch alone.
  var windows: [UtilizationWindow]?
  /// Steps done in the whole run.
  public internal(set) var step = 0

  /// Whether no count is negative or so large that adding to it could overflow.
  var hasPlausibleCounts: Bool {
    let counts = [sum.correct, sum.rows] + (experts ?? []).flatMap(\.allCounts)
    return counts.allSatisfy { (0...(1 << 53)).contains($0) }
  }
}

extension RunPosition.Epoch: Codable {
  private enum CodingKeys: String, CodingKey {
    case record, seconds
    case experts = "expert_layers"
    /// What earlier versions wrote, without the load-balancing loss.
    case earlierExperts = "experts"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    record = try container.decode(EpochRecord.self, forKey: .record)
    seconds = try container.decode(EpochSeconds.self, forKey: .seconds)
    let packed = try container.decodeIfPresent(Data.self, forKey: .experts)
    let earlier = try container.decodeIfPresent(Data.self, forKey: .earlierExperts) ?? Data()
    guard
      let records = ExpertRecord.unpacked(packed ?? earlier, hasBalance: packed != nil)
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .experts, in: container, debugDescription: "not whole records")
    }
    experts = records
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(record, forKey: .record)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(ExpertRecord.packed(experts), forKey: .experts)
  }
}
