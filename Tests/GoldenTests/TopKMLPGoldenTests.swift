import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

/// A model's sizes, as the fixtures' metadata give them.
struct GoldenSizes: Decodable {
  let inputs: Int
  let width: Int
  let hiddenLayers: Int
  let classes: Int
  let k: Int
  let batch: Int

  /// The model with the weights `init.…` of a fixture.
  func model(
    from file: SafetensorsFile, prefix: String, layerNorm: Bool, kernels: Kernels
  ) throws -> TopKMLP {
    try BLAS.load()
    let config = TopKMLPConfig(
      hiddenLayers: hiddenLayers, width: width, k: k,
      normalization: layerNorm ? .layerNorm : .none)
    let model = TopKMLP(
      config, inputs: inputs, classes: classes, capacity: batch, seed: 0, kernels: kernels)
    for parameter in model.parameters {
      parameter.value.copy(
        from: try file.tensor("\(prefix)init.\(parameter.name)", shape: parameter.value.shape))
    }
    return model
  }
}

@Suite("The Top-K MLP against PyTorch: forward pass, loss and every gradient")
struct TopKMLPGoldenTests {
  struct Case: Decodable {
    let inputs: Int
    let width: Int
    let hiddenLayers: Int
    let classes: Int
    let k: Int
    let batch: Int
    let layerNorm: Bool

    var sizes: GoldenSizes {
      GoldenSizes(
        inputs: inputs, width: width, hiddenLayers: hiddenLayers, classes: classes, k: k,
        batch: batch)
    }
  }

  static let name = "topk_mlp_forward"

  /// Values are sums of up to 40 products of order 1, so of order 1 themselves (up to 3 after
  /// LayerNorm), and a float32 sum is good to a few times 2⁻²⁴ = 6e-8 per layer: PyTorch's float32
  /// is off its float64 by up to 3.0e-7 (`float32_error` in the metadata). PyTorch with its sums in
  /// another order differs from itself by up to 65 % of this bound (scripts/golden/rounding.py).
  static let atol: Float = 1e-6
  static let rtol: Float = 1e-6

  @Test("the fixture has its five cases")
  func cases() throws {
    #expect(
      try GoldenFile<Case>(Self.name).cases.keys.sorted()
        == ["dense", "layer-norm", "one-winner", "small", "uneven"])
  }

  @Test(arguments: GoldenFile<Case>.labels(name), kernelNames)
  func agrees(label: String, kernelName: String) throws {
    let golden = try GoldenFile<Case>(Self.name)
    let facts = try #require(golden.cases[label])
    let kernels = try #require(Kernels(named: kernelName))
    let model = try facts.sizes.model(
      from: golden.tensors, prefix: "\(label)/", layerNorm: facts.layerNorm, kernels: kernels)
    let inputs = try golden.tensors.tensor("\(label)/inputs", shape: [facts.batch, facts.inputs])
    let labels = try golden.tensors.integers("\(label)/labels").map(Int32.init)
    func expect(
      _ actual: Tensor, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      expectClose(
        actual, try golden.tensors.tensor("\(label)/\(name)"), atol: Self.atol, rtol: Self.rtol,
        name: name, sourceLocation: sourceLocation)
    }

    model.forward(inputs, rows: facts.batch)
    let loss = labels.withUnsafeBufferPointer {
      $0.baseAddress.map { model.loss(targets: $0, rows: facts.batch, forTraining: true) }
    }
    model.backward(inputs, rows: facts.batch)

    for (i, layer) in model.layers.enumerated() {
      let rows = (0..<facts.batch).flatMap { Array(layer.output.row($0)) }
      try expect(Tensor(shape: [facts.batch, facts.width], values: rows), "activation.\(i)")
      let counts = UnsafeBufferPointer(start: layer.output.counts, count: facts.width)
      // Counts are whole: any other winner anywhere would be off by 1/B.
      expectClose(
        counts.map { Float($0) / Float(facts.batch) },
        try golden.tensors.tensor("\(label)/utilization.\(i)").values, atol: 1e-6,
        name: "utilization.\(i)")
    }
    try expect(model.head.logits, "logits")
    let expectedLoss = try golden.tensors.tensor("\(label)/loss").values
    expectClose([Float(try #require(loss).mean)], expectedLoss, atol: Self.atol, name: "loss")
    for parameter in model.parameters {
      try expect(parameter.gradient, "grad.\(parameter.name)")
    }
    #expect(
      model.parameters.map { "\(label)/grad.\($0.name)" }.sorted()
        == golden.tensors.names.filter { $0.hasPrefix("\(label)/grad.") })
  }
}
