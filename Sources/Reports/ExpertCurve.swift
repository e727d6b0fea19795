/// What an expert layer of a run did in an epoch; NaN where not measured.
public struct ExpertPoint: Hashable, Sendable {
  /// From 1.
  public let epoch: Int
  /// From 1, next to the input.
  public let layer: Int
  /// S of the paper's equation 11 over the test split, from 1/C to 1.
  public let specialization: Double
  /// Over the test split, nats.
  public let routingEntropy: Double
  /// Share of the experts that no training row used.
  public let deadShare: Double
  /// The largest share of training rows that one expert got.
  public let highestLoad: Double
  /// Standard deviation of Φ over the experts, mean over the epoch's steps.
  public let modulationDeviation: Double

  public init(
    epoch: Int, layer: Int, specialization: Double, routingEntropy: Double,
    deadShare: Double = .nan, highestLoad: Double = .nan, modulationDeviation: Double = .nan
  ) {
    self.epoch = epoch
    self.layer = layer
    self.specialization = specialization
    self.routingEntropy = routingEntropy
    self.deadShare = deadShare
    self.highestLoad = highestLoad
    self.modulationDeviation = modulationDeviation
  }
}

/// The expert layers of one run, finished or not: one setting, one variant, one seed.
public struct ExpertCurve: Hashable, Sendable {
  public let setting: SettingRecord
  public let variant: String
  /// γ; without meaning for `vanilla`.
  public let gamma: Double?
  public let seed: UInt64
  public let points: [ExpertPoint]

  public init(
    setting: SettingRecord, variant: String, gamma: Double?, seed: UInt64, points: [ExpertPoint]
  ) {
    self.setting = setting
    self.variant = variant
    self.gamma = gamma
    self.seed = seed
    self.points = points
  }
}
