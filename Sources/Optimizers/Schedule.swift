import Foundation

/// The learning rate over a run: a function of the step.
public struct Schedule: Sendable {
  private let config: ScheduleConfig
  private let base: Double
  private let epochs: Int
  private let stepsPerEpoch: Int

  /// - Parameter base: η before the schedule.
  public init(_ config: ScheduleConfig, base: Double, epochs: Int, stepsPerEpoch: Int) {
    self.config = config
    self.base = base
    self.epochs = epochs
    self.stepsPerEpoch = stepsPerEpoch
  }

  /// η at a step, the first being 0.
  ///
  /// Warm-up rises linearly, its last step being at η. After it,
  ///
  ///     cosine: η·(floor + (1 − floor)·(1 + cos(π·t/T))/2)
  ///
  /// with t the epochs (or steps) since the warm-up and T their number: 0 would be reached one
  /// epoch (or step) after the last, as with PyTorch's CosineAnnealingLR.
  public func rate(step: Int) -> Double {
    let warmupSteps = (config.warmup * Double(stepsPerEpoch)).rounded()
    if Double(step) < warmupSteps { return base * Double(step + 1) / warmupSteps }
    switch config.name {
    case .constant: return base
    case .cosine:
      let position =
        config.per == .epoch
        ? Double(step / stepsPerEpoch) : Double(step) / Double(stepsPerEpoch)
      let total = Double(epochs) - config.warmup
      let progress = total > 0 ? min(1, max(0, (position - config.warmup) / total)) : 1
      return base * (config.floor + (1 - config.floor) * (1 + cos(.pi * progress)) / 2)
    }
  }
}
