import CKernels
import Tensors

/// z = x·Wᵀ + b on rows without gaps. Rows may be taken in parts, and the weight's gradient is made
/// in parts, so that a caller can share the work among threads.
final class Linear {
  let weight: Parameter
  let bias: Parameter?
  let inputs: Int
  let outputs: Int
  private let kernels: UnsafePointer<ExciteKernels>

  /// Rows of W whose gradient is one part: each reads all of x.
  private static let partRows = 192

  init(name: String, inputs: Int, outputs: Int, hasBias: Bool = true, kernels: Kernels) {
    self.inputs = inputs
    self.outputs = outputs
    self.kernels = kernels.table
    weight = Parameter(
      name: "\(name).weight", value: Tensor(outputs, inputs), gradient: Tensor(outputs, inputs))
    bias =
      hasBias
      ? Parameter(name: "\(name).bias", value: Tensor(outputs), gradient: Tensor(outputs)) : nil
  }

  var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  /// - Parameters:
  ///   - ldx: distance between rows of x.
  ///   - scratch: `Kernels.multiplyScratch` floats.
  func forward(
    _ x: UnsafePointer<Float>, ldx: Int? = nil, into z: UnsafeMutablePointer<Float>, rows: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    multiplyTransposed(
      x, ldx: ldx ?? inputs, weight.value.data, ldm: inputs, into: z, ldz: outputs, rows: rows,
      outputs: outputs, inputs: inputs, kernels: kernels, scratch: scratch)
    guard let bias else { return }
    for row in 0..<rows { add(bias.value.data, to: z + row * outputs, count: outputs) }
  }

  /// dx = dz·W.
  func inputGradient(
    _ dz: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, rows: Int
  ) {
    multiply(
      dz, lda: outputs, weight.value.data, ldb: inputs, into: dx, ldc: inputs, m: rows, n: inputs,
      k: outputs, kernels: kernels)
  }

  var weightParts: Int { (outputs + Self.partRows - 1) / Self.partRows }

  /// Sets one part of the weight's gradient, dzᵀ·x.
  func weightGradient(
    part: Int, _ dz: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int
  ) {
    let first = part * Self.partRows
    multiply(
      dz + first, lda: outputs, transposeA: true, x, ldb: inputs,
      into: weight.gradient.data + first * inputs, ldc: inputs,
      m: min(Self.partRows, outputs - first), n: inputs, k: rows, kernels: kernels)
  }
}
