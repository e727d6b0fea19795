import Layers
import Models
import Training

/// Where the time of a transformer's training step goes.
public struct StepBreakdown: Sendable {
  public struct Part: Sendable {
    /// For people, and as a JSON key.
    public let name: String
    public let key: String
    /// Share of the step, all threads together being 1.
    public let share: Double
  }

  /// They sum to 1.
  public let parts: [Part]
  /// Of a step while its parts are timed, seconds.
  public let step: Double

  /// - Parameters:
  ///   - clock: of `steps` steps that took `seconds` in all, on `threads` threads.
  init(_ clock: StepClock, steps: Int, seconds: Double, threads: Int) {
    let whole = seconds * Double(threads)
    var parts = StepPart.allCases.map { part in
      Part(name: part.name, key: "\(part)", share: clock.seconds(in: part) / whole)
    }
    parts.append(
      Part(name: "optimizer and Φ", key: "optimizer", share: 1 - clock.passSeconds / seconds))
    let rest = 1 - parts.reduce(0) { $0 + $1.share }
    parts.append(Part(name: "waiting, rest", key: "rest", share: rest))
    self.parts = parts
    step = seconds / Double(steps)
  }
}

extension StepPart {
  fileprivate var name: String {
    switch self {
    case .embedding: "embedding"
    case .norms: "norms"
    case .attention: "attention"
    case .router: "router"
    case .dispatch: "dispatch, combine"
    case .experts: "expert products"
    case .head: "head and loss"
    }
  }
}

extension StepSample {
  /// Times the parts of so many steps; nil for a model that has none.
  func breakdown(steps: Int, threads: Int) throws(TrainingError) -> StepBreakdown? {
    guard let model = trainer.model as? any TimedModel else { return nil }
    let clock = model.time()
    let start = ContinuousClock.now
    for _ in 0..<steps { try step() }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return StepBreakdown(clock, steps: steps, seconds: seconds, threads: threads)
  }
}
