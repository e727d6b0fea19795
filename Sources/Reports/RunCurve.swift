import Foundation

/// What a run had reached after an epoch.
public struct EpochPoint: Hashable, Sendable {
  /// Epochs done, from 1.
  public let epoch: Int
  /// Means over the epoch's steps, nats; NaN where not measured, as for the others.
  public let trainLoss: Double
  /// Percent.
  public let trainAccuracy: Double
  /// Nats.
  public let testLoss: Double
  /// Percent.
  public let testAccuracy: Double
  /// Nats, of the validation text.
  public let validationLoss: Double

  public init(
    epoch: Int, trainLoss: Double, trainAccuracy: Double, testLoss: Double, testAccuracy: Double,
    validationLoss: Double = .nan
  ) {
    self.epoch = epoch
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.testLoss = testLoss
    self.testAccuracy = testAccuracy
    self.validationLoss = validationLoss
  }
}

/// The history of one run, finished or not: one setting, one variant, one seed.
public struct RunCurve: Hashable, Sendable {
  public let setting: SettingRecord
  public let variant: String
  /// γ; without meaning for `vanilla`.
  public let gamma: Double?
  public let seed: UInt64
  /// In any order; of an epoch that occurs twice, the last counts.
  public let points: [EpochPoint]

  public init(
    setting: SettingRecord, variant: String, gamma: Double?, seed: UInt64, points: [EpochPoint]
  ) {
    self.setting = setting
    self.variant = variant
    self.gamma = gamma
    self.seed = seed
    self.points = points
  }
}

/// What one run left, to be averaged over seeds.
protocol SeedCurve {
  associatedtype Point
  var setting: SettingRecord { get }
  var variant: String { get }
  var gamma: Double? { get }
  var seed: UInt64 { get }
  var points: [Point] { get }
}

extension RunCurve: SeedCurve {}
extension ExpertCurve: SeedCurve {}

/// The quantities of which curves can be drawn.
public enum CurveMetric: String, CaseIterable, Sendable {
  case testAccuracy, trainAccuracy, testLoss, trainLoss, testPerplexity, validationPerplexity

  /// What shows how runs come on that are judged by a measure.
  static func progress(of measure: Measure) -> CurveMetric {
    measure == .accuracy ? .testAccuracy : .testPerplexity
  }

  var title: String {
    switch self {
    case .testAccuracy: "test accuracy [%]"
    case .trainAccuracy: "training accuracy [%]"
    case .testLoss: "test loss [nats]"
    case .trainLoss: "training loss [nats]"
    case .testPerplexity: "test perplexity"
    case .validationPerplexity: "validation perplexity"
    }
  }

  /// Losses and perplexities have no upper end.
  var isOpen: Bool { self != .testAccuracy && self != .trainAccuracy }

  func value(_ point: EpochPoint) -> Double {
    switch self {
    case .testAccuracy: point.testAccuracy
    case .trainAccuracy: point.trainAccuracy
    case .testLoss: point.testLoss
    case .trainLoss: point.trainLoss
    case .testPerplexity: exp(point.testLoss)
    case .validationPerplexity: exp(point.validationLoss)
    }
  }
}
