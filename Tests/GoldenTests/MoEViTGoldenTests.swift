import Excitation
import Foundation
import Models
import Optimizers
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

  /// Of PyTorch's own float32 error, which the metadata hold, as in `OptimizerGoldenTests.bound`.
  /// PyTorch with its sums in another order differs from itself by up to 26 % of the bound in the
  /// forward pass, the losses and the gradients, and by 47 % after ten steps
  /// (scripts/golden/rounding.py).
  static let factor: Float = 6
  static let allowance: Float = 2e-7

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

    let bound = Self.factor * facts.float32Error + Self.allowance
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
    let gradientBound = Self.factor * facts.gradientError + Self.allowance
    for parameter in model.parameters {
      let expected = try golden.tensors.tensor("\(label)/grad.\(parameter.name)")
      expectClose(
        parameter.gradient, expected, atol: gradientBound, name: "grad.\(parameter.name)")
      // The gradient must be large enough to tell a wrong one. A single pick's gate is always 1, so
      // only the balance loss moves that router.
      let least: Float = sizes.k == 1 && parameter.name.contains("router") ? 100 : 1000
      #expect(
        (expected.values.map(\.magnitude).max() ?? 0) > least * gradientBound, "\(parameter.name)")
    }
    #expect(
      model.parameters.map { "\(label)/grad.\($0.name)" }.sorted()
        == golden.tensors.names.filter { $0.hasPrefix("\(label)/grad.") })
  }

  struct Trajectory: Decodable {
    let optimizer: OptimizerName
    let lr: Double
    let epsilon: Double
    let variant: ExcitationVariant
    let float32Error: Float
    let float32LossError: Float
    let moved: Float
    let idleExperts: Int
  }

  static let trajectoryFile = "moe_vit_trajectory"
  static let steps = 10

  @Test("the fixture's trajectories have idle experts and can tell a wrong step")
  func trajectories() throws {
    let cases = try GoldenFile<Trajectory>(Self.trajectoryFile).cases
    #expect(cases.count == 2 * 4)
    for (label, facts) in cases {
      #expect(facts.idleExperts > 0, "\(label)")
      #expect(facts.moved > 500 * (Self.factor * facts.float32Error + Self.allowance), "\(label)")
    }
  }

  @Test(
    "ten excited steps of Adam and SGD", arguments: GoldenFile<Trajectory>.labels(trajectoryFile),
    kernelNames)
  func trains(label: String, kernelName: String) throws {
    let golden = try GoldenFile<Trajectory>(Self.trajectoryFile)
    let file = golden.tensors
    let facts = try #require(golden.cases[label])
    let kernels = try #require(Kernels(named: kernelName))
    let sizes = try JSONDecoder.snakeCase.decode(
      MoEViTSizes.self, from: Data(#require(file.metadata["sizes"]).utf8))
    let model = try sizes.model(from: file, prefix: "", threads: 2, kernels: kernels)
    var config = OptimizerConfig(facts.optimizer, lr: facts.lr)
    if facts.optimizer == .adam { config.epsilon = facts.epsilon }
    let optimizer = Optimizer(
      config, parameters: model.parameters, workers: Workers(2), kernels: kernels)

    let inputs = try file.tensor("inputs", shape: [Self.steps, sizes.batch, Self.inputs])
    let labels = try file.integers("labels").map(Int32.init)
    let batch = Tensor(sizes.batch, Self.inputs)
    let tokens = model.routing[0].rowsPerSample * sizes.batch
    var losses: [Float] = []
    for step in 0..<Self.steps {
      batch.data.update(from: inputs.data + step * batch.count, count: batch.count)
      model.forward(batch, rows: sizes.batch)
      let targets = Array(labels[step * sizes.batch..<(step + 1) * sizes.batch])
      let loss = model.loss(targets: targets, rows: sizes.batch, forTraining: true)
      losses.append(Float(loss.mean + model.auxiliaryLoss))
      model.backward(batch, rows: sizes.batch)
      let modulation = model.expertCounts.map { counts in
        let u: [Double] = utilization(counts: Array(counts), rows: tokens)
        return phi(u, variant: facts.variant, gamma: 1, epsilon: 1e-6, permutation: [])
          .map { Float($0) }
      }
      optimizer.update(
        rate: facts.lr, modulation: facts.variant == .vanilla ? nil : modulation)
    }

    for parameter in model.parameters {
      expectClose(
        parameter.value, try file.tensor("\(label)/\(parameter.name)"),
        atol: Self.factor * facts.float32Error + Self.allowance,
        name: "\(label) (\(kernelName)): \(parameter.name)")
    }
    expectClose(
      losses, try file.tensor("\(label)/losses").values,
      atol: Self.factor * facts.float32LossError + 5e-7, name: "\(label) (\(kernelName)): losses")
  }
}
