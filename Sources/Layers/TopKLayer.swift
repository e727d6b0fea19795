import CKernels
import Tensors

/// From which density of winners on the dense products are faster than the sparse kernels.
/// Measured with `excite bench step` over sparsities; the choice changes rounding, nothing else.
enum SparseChoice {
  /// Winners of the layer below per neuron of it, for the forward product.
  static func forward(density: Double) -> Bool { density <= 0.3 }
  /// Winners of this layer per neuron, for the gradient of the weight.
  static func weightGradient(density: Double) -> Bool { density <= 0.3 }
  /// Winners of this layer per neuron, for the gradient of the input.
  static func inputGradient(density: Double) -> Bool { density <= 0.3 }
}

/// Linear → (LayerNorm) → the K largest per row → ReLU on those, 0 elsewhere. Every neuron is an
/// expert: row n of the weight and element n of the bias.
///
/// The winners are known after the forward pass, and the backward pass computes with them alone.
public final class TopKLayer {
  public let weight: Parameter
  public let bias: Parameter
  public let norm: LayerNorm?
  public let output: Winners
  /// z = x·Wᵀ + b before selection (after LayerNorm where there is one), [B, W].
  public let preactivations: Tensor

  private let inputs: Int
  private let width: Int
  private let kernels: UnsafePointer<ExciteKernels>
  /// Wᵀ in panels, for the sparse forward product; nil while the layer reads dense inputs.
  private var packedWeight: Tensor?
  /// For the sparse weight gradient.
  private let scratch: Tensor
  /// ∂loss/∂z as a matrix, for the dense products, [B, W]; allocated when first needed.
  private lazy var denseGradient = Tensor(shape: preactivations.shape)
  /// ∂loss/∂input, [B, I]; allocated when first needed.
  private lazy var inputGradient = Tensor(preactivations.rows, inputs)

  /// - Parameters:
  ///   - index: place among the Top-K layers, also its expert layer.
  ///   - capacity: the largest B.
  public init(
    index: Int, inputs: Int, width: Int, winners: Int, capacity: Int, normalized: Bool,
    kernels: Kernels = .best
  ) {
    self.inputs = inputs
    self.width = width
    self.kernels = kernels.table
    weight = Parameter(
      name: "layers.\(index).weight", value: Tensor(width, inputs),
      gradient: Tensor(width, inputs), expertLayer: index)
    bias = Parameter(
      name: "layers.\(index).bias", value: Tensor(width), gradient: Tensor(width),
      expertLayer: index)
    norm = normalized ? LayerNorm(name: "norms.\(index)", width: width, capacity: capacity) : nil
    output = Winners(capacity: capacity, width: width, count: winners)
    preactivations = Tensor(capacity, width)
    scratch = Tensor(
      Kernels.scatterScratch(rows: capacity, winners: winners, width: width))
  }

  private var density: Double { Double(output.count) / Double(width) }

  /// Fills `output` for B rows of input and counts the winners.
  public func forward(_ input: LayerInput, rows: Int) {
    multiply(input, rows: rows)
    let z = preactivations
    if let norm {
      for row in 0..<rows {
        for n in 0..<width { z.data[row * width + n] += bias.value.data[n] }
      }
      norm.forward(z, rows: rows)
    }
    output.counts.update(repeating: 0, count: width)
    kernels.pointee.top_k_relu(
      rows, width, output.count, z.data, width, norm == nil ? bias.value.data : nil, output.values,
      output.indices, output.stride, output.dense.data, width, output.counts)
  }

  /// z = x·Wᵀ.
  private func multiply(_ input: LayerInput, rows: Int) {
    switch input {
    case .winners(let below)
    where SparseChoice.forward(density: Double(below.count) / Double(below.width)):
      let packed =
        packedWeight ?? Tensor(Kernels.packedCount(rows: width, columns: inputs))
      packedWeight = packed
      kernels.pointee.pack_transposed(width, inputs, weight.value.data, inputs, packed.data)
      kernels.pointee.gather_sum(
        rows, below.count, width, below.values, below.indices, below.stride, packed.data,
        Kernels.panelColumns, inputs * Kernels.panelColumns, preactivations.data, width)
    default:
      let (x, distance) = input.matrix
      matmul(
        x, lda: distance, weight.value.data, ldb: inputs, transposeB: true,
        into: preactivations.data, ldc: width, m: rows, n: width, k: inputs)
    }
  }

  /// Sets the gradients of weight and bias from that of the winners, and the winners' gradient of
  /// the layer below where there is one.
  public func backward(_ input: LayerInput, rows: Int) {
    let isDense = norm != nil || !SparseChoice.weightGradient(density: density)
    if isDense || !SparseChoice.inputGradient(density: density) { scatterGradient(rows: rows) }
    if let norm { norm.backward(denseGradient, rows: rows) }
    sumBias(rows: rows)
    let (x, distance) = input.matrix
    if isDense {
      matmul(
        denseGradient.data, lda: width, transposeA: true, x, ldb: distance,
        into: weight.gradient.data, ldc: inputs, m: width, n: inputs, k: rows)
    } else {
      kernels.pointee.scatter_outer(
        rows, output.count, width, inputs, output.gradient, output.indices, output.stride, x,
        distance, weight.gradient.data, inputs, scratch.data)
    }
    guard case .winners(let below) = input else { return }
    if norm != nil || !SparseChoice.inputGradient(density: density) {
      matmul(
        denseGradient.data, lda: width, weight.value.data, ldb: inputs, into: inputGradient.data,
        ldc: inputs, m: rows, n: inputs, k: width)
    } else {
      kernels.pointee.gather_sum(
        rows, output.count, inputs, output.gradient, output.indices, output.stride,
        weight.value.data, inputs, Kernels.panelColumns, inputGradient.data, inputs)
    }
    below.setGradient(from: inputGradient, rows: rows)
  }

  /// Spreads the winners' gradient over a matrix of zeros.
  private func scatterGradient(rows: Int) {
    denseGradient.data.update(repeating: 0, count: rows * width)
    for row in 0..<rows {
      for slot in row * output.stride..<row * output.stride + output.count {
        denseGradient.data[row * width + Int(output.indices[slot])] = output.gradient[slot]
      }
    }
  }

  private func sumBias(rows: Int) {
    bias.gradient.setZero()
    let sums = bias.gradient.data
    guard norm == nil else {
      for row in 0..<rows {
        for n in 0..<width { sums[n] += denseGradient.data[row * width + n] }
      }
      return
    }
    for row in 0..<rows {
      for slot in row * output.stride..<row * output.stride + output.count {
        sums[Int(output.indices[slot])] += output.gradient[slot]
      }
    }
  }
}

extension LayerInput {
  /// The input as a matrix and the distance between its rows.
  var matrix: (UnsafePointer<Float>, Int) {
    switch self {
    case .dense(let x, let distance): (x, distance)
    case .winners(let winners): (UnsafePointer(winners.dense.data), winners.width)
    }
  }
}
