import Foundation
import Models
import Tensors
import TestSupport
import Testing

/// A model's sizes, as the fixtures' metadata give them.
struct MoEViTSizes: Decodable {
  let d: Int
  let layers: Int
  let heads: Int
  let hidden: Int
  let experts: Int
  let k: Int
  let classes: Int
  let patch: Int
  let batch: Int
  let balanceWeight: Double
  let zWeight: Double

  /// The model with the weights `init.…` of a fixture.
  func model(
    from file: SafetensorsFile, prefix: String, threads: Int = 1, kernels: Kernels
  ) throws -> MoEViT {
    try BLAS.load()
    let config = MoEViTConfig(
      layers: layers, d: d, heads: heads, experts: experts, k: k, hidden: hidden, patch: patch,
      balanceWeight: balanceWeight, zWeight: zWeight)
    let model = MoEViT(
      config, classes: classes, capacity: batch + 1, seed: 0, workers: Workers(threads),
      kernels: kernels)
    for parameter in model.parameters {
      parameter.value.copy(
        from: try file.tensor("\(prefix)init.\(parameter.name)", shape: parameter.value.shape))
    }
    return model
  }
}

@Suite("The MoE vision transformer against PyTorch")
struct MoEViTGoldenTests {
  struct Case: Decodable {
    let float32Error: Float
    let gradientError: Float
  }

  static let forwardFile = "moe_vit_forward"
  static let inputs = 3 * 32 * 32

  @Test("the fixture has its four cases")
  func cases() throws {
    #expect(
      try GoldenFile<Case>(Self.forwardFile).cases.keys.sorted()
        == ["all-experts", "one-expert", "small", "z-loss"])
  }

  @Test(
    "logits, losses, utilization and every gradient",
    arguments: GoldenFile<Case>.labels(forwardFile), kernelNames)
  func agrees(label: String, kernelName: String) throws {
    let golden = try GoldenFile<Case>(Self.forwardFile)
    let sizes = try #require(try GoldenFile<MoEViTSizes>(Self.forwardFile).cases[label])
    let facts = try #require(golden.cases[label])
    let kernels = try #require(Kernels(named: kernelName))
    let model = try sizes.model(from: golden.tensors, prefix: "\(label)/", kernels: kernels)
    let inputs = try golden.tensors.tensor("\(label)/inputs", shape: [sizes.batch, Self.inputs])
    let labels = try golden.tensors.integers("\(label)/labels").map(Int32.init)
    func values(_ name: String) throws -> [Float] {
      try golden.tensors.tensor("\(label)/\(name)").values
    }

    model.forward(inputs, rows: sizes.batch)
    let loss = model.loss(targets: labels, rows: sizes.batch, forTraining: true)
    model.backward(inputs, rows: sizes.batch)

    let bound = TransformerGolden.bound(facts.float32Error)
    let logits = Array(model.head.logits.values.prefix(sizes.batch * sizes.classes))
    expectClose(logits, try values("logits"), atol: bound, name: "logits")
    expectClose([Float(loss.mean)], try values("cross_entropy"), atol: bound, name: "loss")
    expectClose(
      [Float(loss.mean + model.auxiliaryLoss)], try values("loss"), atol: bound,
      name: "loss with balance and z-loss")
    let tokens = model.routing[0].rowsPerSample * sizes.batch
    for (i, block) in model.blocks.enumerated() {
      // Counts are whole: another pick anywhere would be off by 1/N.
      expectClose(
        block.counts.map { Float($0) / Float(tokens) }, try values("utilization.\(i)"), atol: 1e-6,
        name: "utilization.\(i)")
      expectClose(
        [Float(block.router.balance)], try values("balance.\(i)"), atol: 1e-6, name: "balance.\(i)")
    }
    try TransformerGolden.expectGradients(
      of: model, in: golden.tensors, label: label, error: facts.gradientError, picked: sizes.k)
  }

  static let trajectoryFile = "moe_vit_trajectory"

  @Test("the fixture's trajectories have idle experts and can tell a wrong step")
  func trajectories() throws { try TransformerGolden.expectTelling(Self.trajectoryFile) }

  @Test(
    "ten excited steps of Adam and SGD", arguments: GoldenFile<Trajectory>.labels(trajectoryFile),
    kernelNames)
  func trains(label: String, kernelName: String) throws {
    let golden = try GoldenFile<Trajectory>(Self.trajectoryFile)
    let file = golden.tensors
    let kernels = try #require(Kernels(named: kernelName))
    let sizes = try JSONDecoder.snakeCase.decode(
      MoEViTSizes.self, from: Data(#require(file.metadata["sizes"]).utf8))
    let model = try sizes.model(from: file, prefix: "", threads: 2, kernels: kernels)
    let inputs = try file.tensor("inputs", shape: [Trajectory.steps, sizes.batch, Self.inputs])
    let labels = try file.integers("labels").map(Int32.init)
    let batch = Tensor(sizes.batch, Self.inputs)
    try TransformerGolden.expectTrajectory(
      label, of: golden, model: model, auxiliaryLoss: { model.auxiliaryLoss }, batch: batch,
      samples: sizes.batch, tokens: model.routing[0].rowsPerSample * sizes.batch, kernels: kernels,
      load: { step in
        batch.data.update(from: inputs.data + step * batch.count, count: batch.count)
        return Array(labels[step * sizes.batch..<(step + 1) * sizes.batch])
      })
  }
}
