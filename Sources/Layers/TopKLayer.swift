import CKernels
import Tensors

/// Linear → (LayerNorm) → the K largest per row → ReLU on those, 0 elsewhere. Every neuron is an
/// expert: row n of the weight and element n of the bias.
///
/// The winners are known after the forward pass, and where they are few the backward pass computes
/// with them alone.
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
  /// The weight in panels, for the sparse products: Wᵀ on the way forward, W on the way back.
  /// Allocated when first needed.
  private lazy var packedWeight = Tensor(
    max(
      Kernels.packedCount(rows: width, columns: inputs),
      Kernels.packedCount(rows: inputs, columns: width)))
  /// For the dense product and the sparse weight gradient.
  private let scratch: Tensor

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
      max(
        Kernels.multiplyScratch,
        Kernels.scatterScratch(rows: capacity, winners: winners, width: width)))
  }

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
      output.indices, output.stride, output.dense.data, output.rowDistance, output.counts)
  }

  /// z = x·Wᵀ.
  private func multiply(_ input: LayerInput, rows: Int) {
    if case .winners(let below) = input, below.areSparse {
      kernels.pointee.pack_transposed(width, inputs, weight.value.data, inputs, packedWeight.data)
      kernels.pointee.gather_sum(
        rows, below.count, width, below.values, below.indices, below.stride, packedWeight.data,
        Kernels.panelColumns, inputs * Kernels.panelColumns, preactivations.data, width)
      return
    }
    let (x, distance) = input.matrix
    multiplyTransposed(
      x, ldx: distance, weight.value.data, ldm: inputs, into: preactivations.data, ldz: width,
      rows: rows, outputs: width, inputs: inputs, kernels: kernels, scratch: scratch.data)
  }

  /// Sets the gradients of weight and bias from the output's gradient, and that of the layer below
  /// where there is one.
  public func backward(_ input: LayerInput, rows: Int) {
    bias.gradient.setZero()
    // LayerNorm gives every neuron a gradient, not only the winners.
    if norm == nil && output.areSparse {
      backwardFromWinners(input, rows: rows)
    } else {
      backwardFromMatrix(input, rows: rows)
    }
  }

  private func backwardFromWinners(_ input: LayerInput, rows: Int) {
    output.gatherGradient(rows: rows)
    for row in 0..<rows {
      for slot in row * output.stride..<row * output.stride + output.count {
        bias.gradient.data[Int(output.indices[slot])] += output.gradient[slot]
      }
    }
    let (x, distance) = input.matrix
    kernels.pointee.scatter_outer(
      rows, output.count, width, inputs, output.gradient, output.indices, output.stride, x,
      distance, weight.gradient.data, inputs, scratch.data)
    guard case .winners(let below) = input else { return }
    packWeight()
    kernels.pointee.gather_sum(
      rows, output.count, inputs, output.gradient, output.indices, output.stride,
      packedWeight.data, Kernels.panelColumns, width * Kernels.panelColumns,
      below.outputGradient.data, below.rowDistance)
  }

  /// Copies W into panels: its rows may be a power of two apart.
  private func packWeight() {
    var panel = packedWeight.data
    for column in stride(from: 0, to: inputs, by: Kernels.panelColumns) {
      let count = min(Kernels.panelColumns, inputs - column)
      for row in 0..<width {
        panel.update(from: weight.value.data + row * inputs + column, count: count)
        panel += Kernels.panelColumns
      }
    }
  }

  private func backwardFromMatrix(_ input: LayerInput, rows: Int) {
    let gradient = output.outputGradient
    let distance = output.rowDistance
    kernels.pointee.relu_gradient(rows * distance, output.dense.data, gradient.data)
    if let norm { norm.backward(gradient, rows: rows) }
    for row in 0..<rows {
      let values = gradient.data + row * distance
      for n in 0..<width { bias.gradient.data[n] += values[n] }
    }
    let (x, inputDistance) = input.matrix
    matmul(
      gradient.data, lda: distance, transposeA: true, x, ldb: inputDistance,
      into: weight.gradient.data, ldc: inputs, m: width, n: inputs, k: rows)
    guard case .winners(let below) = input else { return }
    matmul(
      gradient.data, lda: distance, weight.value.data, ldb: inputs,
      into: below.outputGradient.data, ldc: below.rowDistance, m: rows, n: inputs, k: width)
  }
}
