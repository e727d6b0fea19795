import Tensors

/// Layer normalization over the W pre-activations of each row, with gain and offset.
///
///     y = (z − mean) / √(variance + 1e-5) · gain + offset        population variance
public final class LayerNorm {
  public let gain: Parameter
  public let offset: Parameter
  private static let epsilon: Float = 1e-5
  private let width: Int
  /// (z − mean)/std of the last forward pass, [B, W].
  private let normalized: Tensor
  /// 1/std per row, [B].
  private let inverseDeviation: Tensor

  public init(name: String, width: Int, capacity: Int) {
    self.width = width
    gain = Parameter(name: "\(name).weight", value: Tensor(width), gradient: Tensor(width))
    offset = Parameter(name: "\(name).bias", value: Tensor(width), gradient: Tensor(width))
    gain.value.data.update(repeating: 1, count: width)
    normalized = Tensor(capacity, width)
    inverseDeviation = Tensor(capacity)
  }

  /// Replaces z [B, W] by y.
  func forward(_ z: Tensor, rows: Int) {
    for row in 0..<rows {
      let values = z.data + row * width
      let hats = normalized.data + row * width
      var mean: Float = 0
      for n in 0..<width { mean += values[n] }
      mean /= Float(width)
      var variance: Float = 0
      for n in 0..<width { variance += (values[n] - mean) * (values[n] - mean) }
      let scale = 1 / (variance / Float(width) + Self.epsilon).squareRoot()
      inverseDeviation.data[row] = scale
      for n in 0..<width {
        hats[n] = (values[n] - mean) * scale
        values[n] = hats[n] * gain.value.data[n] + offset.value.data[n]
      }
    }
  }

  /// Replaces ∂loss/∂y [B, row distance] by ∂loss/∂z and sets the gradients of gain and offset.
  func backward(_ gradient: Tensor, rows: Int) {
    gain.gradient.setZero()
    offset.gradient.setZero()
    for row in 0..<rows {
      let values = gradient.data + row * gradient.rowLength
      let hats = normalized.data + row * width
      var sum: Float = 0
      var sumWithHat: Float = 0
      for n in 0..<width {
        gain.gradient.data[n] += values[n] * hats[n]
        offset.gradient.data[n] += values[n]
        values[n] *= gain.value.data[n]
        sum += values[n]
        sumWithHat += values[n] * hats[n]
      }
      let scale = inverseDeviation.data[row]
      for n in 0..<width {
        values[n] = scale * (values[n] - sum / Float(width) - hats[n] * sumWithHat / Float(width))
      }
    }
  }
}
