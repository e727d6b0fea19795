import Layers
import Tensors

/// What training asks of any model: its tensors, a forward and a backward pass on one batch, and
/// how often each expert was used.
public protocol Model: AnyObject {
  /// In the order of the reference's `state_dict`.
  var parameters: [Parameter] { get }
  /// Per expert layer, how many rows (or tokens) of the last forward pass used each expert.
  var expertCounts: [UnsafeBufferPointer<Int32>] { get }
  /// Per expert layer, whom the last forward pass chose and by what scores; valid until the next.
  var routing: [Routing] { get }

  /// - Parameters:
  ///   - inputs: [capacity, row distance], of which the first `rows` are read.
  ///   - afterLayer: called with the index of each expert layer as soon as its `routing` is known,
  ///     while the caches still hold it.
  func forward(_ inputs: Tensor, rows: Int, afterLayer: (Int) -> Void)
  /// Loss of the last forward pass; with `forTraining`, also its gradient at the logits.
  func loss(targets: UnsafePointer<Int32>, rows: Int, forTraining: Bool) -> LossSum
  /// Overwrites every parameter's gradient, after `loss(forTraining: true)`.
  func backward(_ inputs: Tensor, rows: Int)
}

extension Model {
  public func forward(_ inputs: Tensor, rows: Int) { forward(inputs, rows: rows) { _ in } }
}

/// A model that can tell where the time of its steps goes.
public protocol TimedModel: Model {
  /// Notes it from now on.
  func time() -> StepClock
}
