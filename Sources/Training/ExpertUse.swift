import CKernels
import Foundation
import Layers
import Tensors

/// What the experts of one layer did on labelled samples: how often each was used for each class,
/// and how sure the layer was of its choice.
public struct ExpertUse: Sendable {
  /// How many rows (samples or tokens) of a class used an expert, [classes, E].
  public private(set) var counts: [Int]
  public let experts: Int
  public let classes: Int
  private var rows = 0
  /// Summed over the rows, nats.
  private var nats = 0.0

  public init(experts: Int, classes: Int) {
    self.experts = experts
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * experts)
  }

  /// Adds a forward pass over samples.
  /// - Parameter targets: their classes, [samples]; nil where all are of class 0.
  public mutating func add(
    _ routing: Routing, targets: UnsafePointer<Int32>?, samples: Int, kernels: Kernels = .best
  ) {
    precondition(routing.experts == experts, "\(routing.experts) experts, not \(experts)")
    let count = samples * routing.rowsPerSample
    counts.withUnsafeMutableBufferPointer { counts in
      guard let counts = counts.baseAddress else { return }
      var picks = routing.picks
      for sample in 0..<samples {
        let uses = counts + Int(targets?[sample] ?? 0) * experts
        for _ in 0..<routing.rowsPerSample {
          for slot in 0..<routing.picked { uses[Int(picks[slot])] &+= 1 }
          picks += routing.pickDistance
        }
      }
    }
    nats += kernels.table.pointee.softmax_entropy(
      count, experts, routing.scores, routing.scoreDistance)
    rows += count
  }

  /// Mean over the rows of −Σ p log p, p being the softmax of the scores; nats, from 0 (sure) to
  /// log E.
  public var entropy: Double { nats / Double(rows) }

  /// How far experts serve single classes: Σ_c p² of each expert, p being the shares of its uses by
  /// class, averaged over the experts that were used at all. From 1/C (all classes alike) to 1.
  ///
  /// - Source: "Excitation: Momentum For Experts", equation 11.
  public var specialization: Double {
    var sum = 0.0
    var active = 0
    for expert in 0..<experts {
      let uses = (0..<classes).map { Double(counts[$0 * experts + expert]) }
      let total = uses.reduce(0, +)
      guard total > 0 else { continue }
      sum += uses.reduce(0) { $0 + ($1 / total) * ($1 / total) }
      active += 1
    }
    return sum / Double(active)
  }
}
