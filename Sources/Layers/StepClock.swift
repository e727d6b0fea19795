/// The parts of a transformer's step that a benchmark tells apart.
public enum StepPart: Int, CaseIterable, Sendable {
  case embedding, norms, attention, router
  /// Sorting tokens by expert, gathering them for it, adding up what experts made of each.
  case dispatch
  /// The experts' matrix products and GELU.
  case experts
  /// The last norm, the classifier or the vocabulary's logits, and the loss.
  case head
}

/// Where the time of a transformer's steps goes. Only a benchmark has one: it is read at the borders
/// of the parts, a few times for every task.
public final class StepClock {
  /// From beginning to end of all passes.
  public private(set) var passSeconds = 0.0
  let workers: [PartClock]
  private var start = ContinuousClock.now

  init(workers: Int) { self.workers = (0..<workers).map { _ in PartClock() } }

  public func beginPass() { start = .now }
  public func endPass() { passSeconds += (ContinuousClock.now - start) / .seconds(1) }

  /// For a head that works on the calling thread.
  public func beginHead() { workers[0].start() }
  public func endHead() { workers[0].end(.head) }

  /// Spent in a part, summed over the threads.
  public func seconds(in part: StepPart) -> Double {
    workers.reduce(0) { $0 + $1.seconds[part.rawValue] }
  }
}

/// What one worker spends in each part.
final class PartClock {
  private(set) var seconds = [Double](repeating: 0, count: StepPart.allCases.count)
  private var last = ContinuousClock.now

  /// A part begins.
  func start() { last = .now }

  /// A part ends, and the next one begins.
  func end(_ part: StepPart) {
    let now = ContinuousClock.now
    seconds[part.rawValue] += (now - last) / .seconds(1)
    last = now
  }
}
