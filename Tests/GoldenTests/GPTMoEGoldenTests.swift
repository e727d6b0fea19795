import Foundation
import Models
import Tensors
import TestSupport
import Testing

/// A model's sizes, as the fixtures' metadata give them.
struct GPTMoESizes: Decodable {
  let vocabulary: Int
  let context: Int
  let d: Int
  let layers: Int
  let heads: Int
  let hidden: Int
  let experts: Int
  let k: Int
  let batch: Int
  let balanceWeight: Double
  let zWeight: Double

  /// The model with the weights `init.…` of a fixture.
  func model(
    from file: SafetensorsFile, prefix: String, threads: Int = 1, kernels: Kernels
  ) throws -> GPTMoE {
    try BLAS.load()
    let config = GPTMoEConfig(
      layers: layers, d: d, heads: heads, experts: experts, k: k, hidden: hidden, context: context,
      balanceWeight: balanceWeight, zWeight: zWeight)
    let model = GPTMoE(
      config, vocabulary: vocabulary, capacity: batch + 1, seed: 0, workers: Workers(threads),
      kernels: kernels)
    for parameter in model.parameters {
      parameter.value.copy(
        from: try file.tensor("\(prefix)init.\(parameter.name)", shape: parameter.value.shape))
    }
    return model
  }
}

@Suite("The MoE language model against PyTorch")
struct GPTMoEGoldenTests {
  struct Case: Decodable {
    let float32Error: Float
    let gradientError: Float
  }

  static let forwardFile = "gpt_moe_forward"
  static let trajectoryFile = "gpt_moe_trajectory"

  @Test("the fixture has its four cases")
  func cases() throws {
    #expect(
      try GoldenFile<Case>(Self.forwardFile).cases.keys.sorted()
        == ["long", "masked", "one-expert", "small"])
  }

  @Test(
    "last logits, losses, utilization and every gradient",
    arguments: GoldenFile<Case>.labels(forwardFile), kernelNames)
  func agrees(label: String, kernelName: String) throws {
    let golden = try GoldenFile<Case>(Self.forwardFile)
    let sizes = try #require(try GoldenFile<GPTMoESizes>(Self.forwardFile).cases[label])
    let facts = try #require(golden.cases[label])
    let kernels = try #require(Kernels(named: kernelName))
    let model = try sizes.model(
      from: golden.tensors, prefix: "\(label)/", threads: 2, kernels: kernels)
    let inputs = Tensor(sizes.batch, sizes.context)
    for (i, token) in try golden.tensors.integers("\(label)/tokens").enumerated() {
      inputs.data[i] = Float(token)
    }
    let targets = try golden.tensors.integers("\(label)/targets").map(Int32.init)
    func values(_ name: String) throws -> [Float] {
      try golden.tensors.tensor("\(label)/\(name)").values
    }

    model.forward(inputs, rows: sizes.batch)
    let loss = model.loss(targets: targets, rows: sizes.batch, forTraining: true)
    model.backward(inputs, rows: sizes.batch)

    let bound = TransformerGolden.bound(facts.float32Error)
    let logits = (1...sizes.batch).flatMap { Array(model.logits(row: $0 * sizes.context - 1)) }
    expectClose(logits, try values("last_logits"), atol: bound, name: "logits")
    #expect(loss.rows == targets.count { $0 >= 0 })
    expectClose([Float(loss.mean)], try values("cross_entropy"), atol: bound, name: "loss")
    expectClose(
      [Float(loss.mean + model.auxiliaryLoss)], try values("loss"), atol: bound,
      name: "loss with balance and z-loss")
    let tokens = Float(sizes.context * sizes.batch)
    for (i, block) in model.blocks.enumerated() {
      expectClose(
        block.counts.map { Float($0) / tokens }, try values("utilization.\(i)"), atol: 1e-6,
        name: "utilization.\(i)")
    }
    try TransformerGolden.expectGradients(
      of: model, in: golden.tensors, label: label, error: facts.gradientError, picked: sizes.k)
  }

  @Test("without training the loss is the same and gradients stay")
  func evaluates() throws {
    let golden = try GoldenFile<Case>(Self.forwardFile)
    let sizes = try #require(try GoldenFile<GPTMoESizes>(Self.forwardFile).cases["long"])
    let model = try sizes.model(from: golden.tensors, prefix: "long/", kernels: .best)
    let inputs = Tensor(sizes.batch, sizes.context)
    for (i, token) in try golden.tensors.integers("long/tokens").enumerated() {
      inputs.data[i] = Float(token)
    }
    let targets = try golden.tensors.integers("long/targets").map(Int32.init)
    model.forward(inputs, rows: sizes.batch)
    let evaluated = model.loss(targets: targets, rows: sizes.batch, forTraining: false)
    let gradient = try #require(model.parameters.first { $0.name == "head.weight" }).gradient
    #expect(gradient.values.allSatisfy { $0 == 0 })
    #expect(evaluated == model.loss(targets: targets, rows: sizes.batch, forTraining: true))
    #expect(!gradient.values.allSatisfy { $0 == 0 })
  }

  @Test("the fixture's trajectories have idle experts and can tell a wrong step")
  func trajectories() throws { try TransformerGolden.expectTelling(Self.trajectoryFile) }

  @Test(
    "ten excited steps of Adam and SGD",
    arguments: GoldenFile<Trajectory>.labels(trajectoryFile), kernelNames)
  func trains(label: String, kernelName: String) throws {
    let golden = try GoldenFile<Trajectory>(Self.trajectoryFile)
    let file = golden.tensors
    let kernels = try #require(Kernels(named: kernelName))
    let sizes = try JSONDecoder.snakeCase.decode(
      GPTMoESizes.self, from: Data(#require(file.metadata["sizes"]).utf8))
    let model = try sizes.model(from: file, prefix: "", threads: 2, kernels: kernels)
    let tokens = try file.integers("tokens")
    let targets = try file.integers("targets").map(Int32.init)
    let batch = Tensor(sizes.batch, sizes.context)
    try TransformerGolden.expectTrajectory(
      label, of: golden, model: model, auxiliaryLoss: { model.auxiliaryLoss }, batch: batch,
      samples: sizes.batch, tokens: batch.count, kernels: kernels,
      load: { step in
        let places = step * batch.count..<(step + 1) * batch.count
        for (i, token) in tokens[places].enumerated() { batch.data[i] = Float(token) }
        return Array(targets[places])
      })
  }
}
