import Layers
import Tensors

/// The gradient of a batch that passes through the model in parts.
final class GradientSum {
  private let parameters: [Parameter]
  private let workers: Workers
  private let sums: [Tensor]
  /// Per parameter that has idle rows, those that some part gave a gradient.
  private var active: [[Bool]] = []

  init(_ parameters: [Parameter], workers: Workers) {
    self.parameters = parameters
    self.workers = workers
    sums = parameters.map { Tensor(shape: $0.value.shape) }
  }

  /// Adds share·gradient of a part.
  /// - Parameter share: of the batch's samples; the parts' losses are means over their own.
  func add(share: Float, isFirst: Bool) {
    workers.run(parameters.count) { index, _ in
      let (sum, gradient) = (sums[index].data, parameters[index].gradient)
      if isFirst {
        for i in 0..<gradient.count { sum[i] = share * gradient.data[i] }
      } else {
        for i in 0..<gradient.count { sum[i] += share * gradient.data[i] }
      }
    }
    let now = parameters.map { $0.activity.map { Array($0.hasGradient) } ?? [] }
    active = isFirst ? now : zip(active, now).map { zip($0, $1).map { $0 || $1 } }
  }

  /// Puts the sum where the optimizer reads the gradient.
  func finish() {
    workers.run(parameters.count) { index, _ in
      let gradient = parameters[index].gradient
      gradient.data.update(from: sums[index].data, count: gradient.count)
    }
    for (parameter, rows) in zip(parameters, active) {
      for (row, isActive) in rows.enumerated() { parameter.activity?.hasGradient[row] = isActive }
    }
  }
}

/// Scales the gradients so that their norm over all parameters is at most `limit`, as PyTorch's
/// `clip_grad_norm_`.
/// - Returns: the norm before.
@discardableResult
func clipGradients(_ parameters: [Parameter], to limit: Double, workers: Workers) -> Double {
  var squares = [Double](repeating: 0, count: parameters.count)
  squares.withUnsafeMutableBufferPointer { squares in
    nonisolated(unsafe) let squares = squares
    workers.run(parameters.count) { index, _ in
      squares[index] = sumOfSquares(parameters[index].gradient)
    }
  }
  let norm = squares.reduce(0, +).squareRoot()
  // 1e-6 as in PyTorch.
  let factor = Float(limit / (norm + 1e-6))
  guard factor < 1 else { return norm }
  workers.run(parameters.count) { index, _ in
    let gradient = parameters[index].gradient
    for i in 0..<gradient.count { gradient.data[i] *= factor }
  }
  return norm
}

private func sumOfSquares(_ tensor: Tensor) -> Double {
  var sum = 0.0
  let lanes = 16
  for start in stride(from: 0, to: tensor.count, by: 4096) {
    let end = min(start + 4096, tensor.count)
    var part = SIMD16<Float>()
    var i = start
    while i + lanes <= end {
      let values = UnsafeRawPointer(tensor.data + i).loadUnaligned(as: SIMD16<Float>.self)
      part += values * values
      i += lanes
    }
    sum += Double(part.sum())
    while i < end {
      sum += Double(tensor.data[i]) * Double(tensor.data[i])
      i += 1
    }
  }
  return sum
}
