import Foundation
import Layers
import Tensors
import TestSupport

/// Top-K layers and a classifier of the engine, with weights drawn for a test.
final class Stack {
  let layers: [TopKLayer]
  let head: ClassifierHead
  let inputs: Int
  let classes: Int

  /// - Parameter winners: K of each layer.
  init(
    inputs: Int, width: Int, winners: [Int], classes: Int, capacity: Int, normalized: Bool,
    kernels: Kernels, seed: UInt64
  ) throws {
    try BLAS.load()
    self.inputs = inputs
    self.classes = classes
    layers = winners.enumerated().map { index, k in
      TopKLayer(
        index: index, inputs: index == 0 ? inputs : width, width: width, winners: k,
        capacity: capacity, normalized: normalized, kernels: kernels)
    }
    head = ClassifierHead(
      width: width, winners: winners[winners.count - 1], classes: classes, capacity: capacity,
      kernels: kernels)
    var random = RandomStream(test: seed)
    for parameter in parameters {
      let isMatrix = parameter.value.shape.count == 2
      // Pre-activations of order 1. LayerNorm's gains, 1 before, are moved as the others are.
      let deviation = isMatrix ? 1.5 / Float(parameter.value.rowLength).squareRoot() : 0.3
      for i in 0..<parameter.value.count {
        parameter.value.data[i] += random.normal() * deviation
      }
    }
  }

  var parameters: [Parameter] {
    layers.flatMap { layer in
      [layer.weight, layer.bias] + (layer.norm.map { [$0.gain, $0.offset] } ?? [])
    } + [head.weight, head.bias]
  }

  func forward(_ x: Tensor, rows: Int) {
    var input = LayerInput.dense(x.data, rowDistance: x.rowLength)
    for layer in layers {
      layer.forward(input, rows: rows)
      input = .winners(layer.output)
    }
    head.forward(layers[layers.count - 1].output, rows: rows)
  }

  func backward(_ x: Tensor, rows: Int) {
    head.backward(layers[layers.count - 1].output, rows: rows)
    for index in layers.indices.reversed() {
      layers[index].backward(
        index == 0
          ? .dense(x.data, rowDistance: x.rowLength) : .winners(layers[index - 1].output),
        rows: rows)
    }
  }

  /// The neurons that won in the last forward pass, [layer][row].
  func winners(rows: Int) -> [[[Int]]] {
    layers.map { layer in
      (0..<rows).map { row in
        (0..<layer.output.count).map { Int(layer.output.indices[row * layer.output.stride + $0]) }
      }
    }
  }
}

/// The same network by its formulas in Double, with given winners.
struct ReferenceStack {
  /// [B, I].
  let x: [[Double]]
  let labels: [Int32]
  /// [layer][row].
  let winners: [[[Int]]]
  let width: Int
  let normalized: Bool

  /// Mean cross entropy in nats, and the smallest |pre-activation| of any winner: how far the
  /// nearest kink of a ReLU is.
  ///
  /// - Parameter parameters: in the order of `Stack.parameters`.
  func loss(_ parameters: [[Double]]) -> (mean: Double, margin: Double) {
    var total = 0.0
    var margin = Double.infinity
    for row in x.indices {
      var h = x[row]
      var next = 0
      func take() -> [Double] {
        next += 1
        return parameters[next - 1]
      }
      for layer in winners.indices {
        var z = Self.affine(take(), h, take())
        if normalized { z = Self.layerNorm(z, gain: take(), offset: take()) }
        h = [Double](repeating: 0, count: width)
        for neuron in winners[layer][row] {
          h[neuron] = max(0, z[neuron])
          margin = min(margin, z[neuron].magnitude)
        }
      }
      let logits = Self.affine(take(), h, take())
      let largest = logits.max() ?? 0
      let sum = logits.reduce(0) { $0 + exp($1 - largest) }
      total += log(sum) + largest - logits[Int(labels[row])]
    }
    return (total / Double(x.count), margin)
  }

  private static func affine(_ weight: [Double], _ x: [Double], _ bias: [Double]) -> [Double] {
    var z = bias
    for n in z.indices {
      for i in x.indices { z[n] += weight[n * x.count + i] * x[i] }
    }
    return z
  }

  private static func layerNorm(
    _ z: [Double], gain: [Double], offset: [Double]
  ) -> [Double] {
    let count = Double(z.count)
    let mean = z.reduce(0, +) / count
    let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let deviation = (variance + 1e-5).squareRoot()
    return z.indices.map { (z[$0] - mean) / deviation * gain[$0] + offset[$0] }
  }
}
