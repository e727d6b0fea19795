import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@Suite("Top-K layer and classifier")
struct TopKLayerTests {
  /// One layer of 3 neurons and `fillers` that never win, worked out by hand.
  ///
  /// x = (1, 2). Neurons: w₀ = (1, 0), b₀ = 0: z₀ = 1; w₁ = (0, 1), b₁ = 0: z₁ = 2; w₂ = (1, 1),
  /// b₂ = −0.5: z₂ = 2.5. K = 2: neurons 1 and 2 win, h = (0, 2, 2.5).
  /// Classes: v₀ = (1, 0, 0), v₁ = (0, 1.25, −1): logits (0, 0), so the loss is ln 2 and, for the
  /// label 0, its gradient g = (−½, ½).
  /// ∂/∂v = g ⊗ h; ∂/∂h = vᵀg = (−½, 0.625, −½), of which neuron 0 is cut off: it lost.
  /// ∂/∂w = that ⊗ x.
  @Test("forward and backward of a hand-made layer", arguments: [0, 5], KernelSets.all)
  func handMade(fillers: Int, name: String) throws {
    try BLAS.load()
    let kernels = try #require(Kernels(named: name))
    let width = 3 + fillers
    let padding = [Float](repeating: 0, count: fillers)
    // 2 of 3 winners take the dense path, 2 of 8 the sparse one.
    let layer = TopKLayer(
      index: 0, inputs: 2, width: width, winners: 2, capacity: 1, normalized: false,
      kernels: kernels)
    let head = ClassifierHead(width: width, winners: 2, classes: 2, capacity: 1, kernels: kernels)
    func set(_ parameter: Parameter, _ values: [Float]) {
      parameter.value.copy(from: Tensor(shape: parameter.value.shape, values: values))
    }
    set(layer.weight, [1, 0, 0, 1, 1, 1] + padding + padding)
    set(layer.bias, [0, 0, -0.5] + padding.map { _ in -1 })
    set(head.weight, [1, 0, 0] + padding + [0, 1.25, -1] + padding)
    set(head.bias, [0, 0])

    let x = Tensor(shape: [1, 2], values: [1, 2])
    layer.forward(.dense(x.data, rowDistance: 2), rows: 1)
    head.forward(layer.output, rows: 1)
    let loss = head.loss(targets: [0], rows: 1, forTraining: true)
    head.backward(layer.output, rows: 1)
    layer.backward(.dense(x.data, rowDistance: 2), rows: 1)

    #expect(layer.preactivations.values == [1, 2, 2.5] + padding.map { _ in -1 })
    #expect(Array(layer.output.row(0)) == [0, 2, 2.5] + padding)
    #expect((0..<2).map { layer.output.indices[$0] } == [1, 2])
    #expect((0..<2).map { layer.output.values[$0] } == [2, 2.5])
    #expect((0..<width).map { layer.output.counts[$0] } == [0, 1, 1] + padding.map { _ in 0 })
    #expect(head.logits.values == [0, 0])
    // One rounding of the logarithm.
    #expect((loss.nats - log(2.0)).magnitude < 1e-15)
    #expect(loss.correct == 1)
    // All numbers are short in binary: exact.
    #expect(
      head.weight.gradient.values == [0, -1, -1.25] + padding + [0, 1, 1.25] + padding)
    #expect(head.bias.gradient.values == [-0.5, 0.5])
    #expect(
      layer.weight.gradient.values == [0, 0, 0.625, 1.25, -0.5, -1] + padding + padding)
    #expect(layer.bias.gradient.values == [0, 0.625, -0.5] + padding)
  }

  @Test("names, shapes and expert layers of the parameters")
  func parameters() {
    let layer = TopKLayer(
      index: 2, inputs: 4, width: 6, winners: 2, capacity: 3, normalized: true)
    let head = ClassifierHead(width: 6, winners: 2, classes: 5, capacity: 3)
    let all =
      [layer.weight, layer.bias, head.weight, head.bias]
      + (layer.norm.map { [$0.gain, $0.offset] } ?? [])
    #expect(
      all.map(\.name) == [
        "layers.2.weight", "layers.2.bias", "head.weight", "head.bias", "norms.2.weight",
        "norms.2.bias",
      ])
    #expect(all.map(\.value.shape) == [[6, 4], [6], [5, 6], [5], [6], [6]])
    // Only a neuron's own weight and bias are modulated.
    #expect(all.map(\.expertLayer) == [2, 2, nil, nil, nil, nil])
    for parameter in all { #expect(parameter.gradient.shape == parameter.value.shape) }
  }

  static let (inputs, width, classes) = (29, 37, 5)

  private func makeStack(
    _ winners: [Int], normalized: Bool, kernels: String, capacity: Int
  ) throws -> Stack {
    try Stack(
      inputs: Self.inputs, width: Self.width, winners: winners, classes: Self.classes,
      capacity: capacity, normalized: normalized, kernels: try #require(Kernels(named: kernels)),
      seed: 21)
  }

  @Test(
    "K winners in each row, counted, and the same as list and as matrix",
    arguments: [1, 4, 18, 33, 37], KernelSets.all)
  func winners(k: Int, name: String) throws {
    let batch = 11
    for normalized in [false, true] {
      let stack = try makeStack([k, k], normalized: normalized, kernels: name, capacity: batch + 3)
      var random = RandomStream(test: 22)
      let x = Tensor(
        shape: [batch, Self.inputs], values: random.normals(batch * Self.inputs))
      // Twice: counts are those of the last pass, not of both.
      stack.forward(x, rows: batch)
      stack.forward(x, rows: batch)
      for layer in stack.layers {
        let output = layer.output
        var counts = [Int32](repeating: 0, count: Self.width)
        for row in 0..<batch {
          let indices = (0..<k).map { Int(output.indices[row * output.stride + $0]) }
          #expect(Set(indices).count == k)
          #expect(indices == indices.sorted())
          #expect(indices.allSatisfy { 0..<Self.width ~= $0 })
          let z = (0..<Self.width).map { layer.preactivations.data[row * Self.width + $0] }
          let smallest = indices.map { z[$0] }.min() ?? 0
          var expected = [Float](repeating: 0, count: Self.width)
          for (slot, neuron) in indices.enumerated() {
            counts[neuron] += 1
            expected[neuron] = max(0, z[neuron])
            #expect(output.values[row * output.stride + slot] == expected[neuron])
          }
          for neuron in 0..<Self.width where !indices.contains(neuron) {
            #expect(z[neuron] <= smallest)
          }
          #expect(Array(output.row(row)) == expected)
        }
        #expect((0..<Self.width).map { output.counts[$0] } == counts)
        #expect(counts.reduce(0, +) == Int32(batch * k))
        // Utilization is a share of the batch.
        #expect(counts.allSatisfy { 0...Int32(batch) ~= $0 })
      }
    }
  }

  @Test("winners are called few up to a third of the neurons, or a quarter in wide layers")
  func areSparse() {
    // 3·3 ≤ 10 < 3·4.
    #expect(
      [1, 3, 4, 10].map { Winners(capacity: 1, width: 10, count: $0).areSparse } == [
        true, true, false, false,
      ])
    // 4·256 ≤ 1024 < 4·257.
    #expect(
      [256, 257].map { Winners(capacity: 1, width: 1024, count: $0).areSparse } == [true, false])
  }

  @Test(
    "a sample's logits do not depend on the rest of its batch", arguments: [4, 33], KernelSets.all)
  func independence(k: Int, name: String) throws {
    let batch = 16
    for normalized in [false, true] {
      let stack = try makeStack([k, k, k], normalized: normalized, kernels: name, capacity: batch)
      var random = RandomStream(test: 23)
      let values = random.normals(batch * Self.inputs)
      func logits(_ values: [Float]) -> [[Float]] {
        let rows = values.count / Self.inputs
        stack.forward(Tensor(shape: [rows, Self.inputs], values: values), rows: rows)
        return (0..<rows).map { row in
          (0..<Self.classes).map { stack.head.logits.data[row * Self.classes + $0] }
        }
      }
      let all = logits(values)
      for row in 0..<batch {
        let own = row * Self.inputs..<(row + 1) * Self.inputs
        // In the same place among other samples: to the bit.
        var others = random.normals(batch * Self.inputs)
        others.replaceSubrange(own, with: values[own])
        expectSameBits(logits(others)[row], all[row], name: "row \(row) among others")
        // Alone. BLAS may take other kernels for one row than for many, which sum in another order:
        // 29 and 37 terms of order 1 a layer, each sum rounded by a few times 2⁻²⁴ of its size. The
        // largest difference seen is 4.8e-7, of a logit of 3.75.
        expectClose(logits(Array(values[own]))[0], all[row], atol: 3e-6, name: "row \(row) alone")
      }
    }
  }

  @Test("LayerNorm gives rows of mean 0 and variance 1 where gain is 1 and offset 0")
  func layerNorm() throws {
    try BLAS.load()
    let layer = TopKLayer(
      index: 0, inputs: Self.inputs, width: Self.width, winners: 4, capacity: 5, normalized: true)
    var random = RandomStream(test: 24)
    layer.weight.value.copy(
      from: Tensor(
        shape: layer.weight.value.shape, values: random.normals(layer.weight.value.count)))
    // The mean must go, wherever it is.
    layer.bias.value.data.update(repeating: 100, count: Self.width)
    let x = Tensor(shape: [5, Self.inputs], values: random.normals(5 * Self.inputs))
    layer.forward(.dense(x.data, rowDistance: Self.inputs), rows: 5)
    for row in 0..<5 {
      let z = (0..<Self.width).map { Double(layer.preactivations.data[row * Self.width + $0]) }
      let mean = z.reduce(0, +) / Double(Self.width)
      let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(Self.width)
      // z is 100 ± 5: a float32 there is good to 4e-6, and the mean over 37 to some of those. The
      // variance of about 25 makes the 1e-5 beside it a share of 4e-7.
      #expect(mean.magnitude < 2e-5)
      #expect((variance - 1).magnitude < 2e-5)
    }
  }

  @Test("a loss sum divides once, over all its parts")
  func lossSum() {
    var sum = LossSum()
    sum += LossSum(nats: 3, correct: 1, rows: 2)
    sum += LossSum(nats: 1.5, correct: 1, rows: 1)
    // 4.5 nats over 3 rows, not the mean of 1.5 and 1.5 by chance: 2 of 3 right.
    #expect(sum.rows == 3)
    #expect(sum.mean == 1.5)
    #expect(sum.accuracy == 200.0 / 3)
  }
}
