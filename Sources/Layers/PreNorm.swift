import CKernels
import Tensors

/// The layer normalization before a transformer's parts: reads the residual stream and leaves it as
/// it is. Arithmetic as `LayerNorm`, whose sums run in another order.
public final class PreNorm {
  public let gain: Parameter
  public let offset: Parameter
  /// y of the last forward pass, [N, D].
  let output: Tensor
  /// (x − mean)/std, [N, D].
  private let normalized: Tensor
  /// 1/std, [N].
  private let inverse: Tensor
  private let width: Int
  private let kernels: UnsafePointer<ExciteKernels>

  public init(name: String, width: Int, capacity: Int, kernels: Kernels) {
    self.width = width
    self.kernels = kernels.table
    gain = Parameter(name: "\(name).weight", value: Tensor(width), gradient: Tensor(width))
    offset = Parameter(name: "\(name).bias", value: Tensor(width), gradient: Tensor(width))
    output = Tensor(capacity, width)
    normalized = Tensor(capacity, width)
    inverse = Tensor(capacity)
  }

  public var parameters: [Parameter] { [gain, offset] }

  /// Rows `rows` of the output from as many rows of x.
  /// - Parameters:
  ///   - x: the first of the rows.
  ///   - distance: between rows of x.
  func forward(_ x: UnsafePointer<Float>, distance: Int, rows: Range<Int>) {
    let start = rows.lowerBound * width
    kernels.pointee.layer_norm(
      rows.count, width, x, distance, gain.value.data, offset.value.data, normalized.data + start,
      inverse.data + rows.lowerBound, output.data + start)
  }

  /// Adds to the gradient of x, and to those of gain and offset, what dy [rows, D] brings.
  func backward(
    _ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, distance: Int,
    rows: Range<Int>, gain gainGradient: UnsafeMutablePointer<Float>,
    offset offsetGradient: UnsafeMutablePointer<Float>
  ) {
    kernels.pointee.layer_norm_gradient(
      rows.count, width, dy, normalized.data + rows.lowerBound * width,
      inverse.data + rows.lowerBound, gain.value.data, dx, distance, gainGradient, offsetGradient)
  }
}
