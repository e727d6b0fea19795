import Excitation
import Foundation
import Models
import Optimizers
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
  static let steps = 10

  /// Of PyTorch's own float32 error, as in `MoEViTGoldenTests`.
  static let factor = MoEViTGoldenTests.factor
  static let allowance = MoEViTGoldenTests.allowance

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

    let bound = Self.factor * facts.float32Error + Self.allowance
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
  func trajectories() throws {
    let cases = try GoldenFile<MoEViTGoldenTests.Trajectory>(Self.trajectoryFile).cases
    #expect(cases.count == 2 * 4)
    for (label, facts) in cases {
      #expect(facts.idleExperts > 0, "\(label)")
      #expect(facts.moved > 500 * (Self.factor * facts.float32Error + Self.allowance), "\(label)")
    }
  }

  @Test(
    "ten excited steps of Adam and SGD",
    arguments: GoldenFile<MoEViTGoldenTests.Trajectory>.labels(trajectoryFile), kernelNames)
  func trains(label: String, kernelName: String) throws {
    let golden = try GoldenFile<MoEViTGoldenTests.Trajectory>(Self.trajectoryFile)
    let file = golden.tensors
    let facts = try #require(golden.cases[label])
    let kernels = try #require(Kernels(named: kernelName))
    let sizes = try JSONDecoder.snakeCase.decode(
      GPTMoESizes.self, from: Data(#require(file.metadata["sizes"]).utf8))
    let model = try sizes.model(from: file, prefix: "", threads: 2, kernels: kernels)
    var config = OptimizerConfig(facts.optimizer, lr: facts.lr)
    if facts.optimizer == .adam { config.epsilon = facts.epsilon }
    let optimizer = Optimizer(
      config, parameters: model.parameters, workers: Workers(2), kernels: kernels)

    let tokens = try file.integers("tokens")
    let targets = try file.integers("targets").map(Int32.init)
    let batch = Tensor(sizes.batch, sizes.context)
    var losses: [Float] = []
    for step in 0..<Self.steps {
      let start = step * batch.count
      for i in 0..<batch.count { batch.data[i] = Float(tokens[start + i]) }
      model.forward(batch, rows: sizes.batch)
      let asked = Array(targets[start..<start + batch.count])
      let loss = model.loss(targets: asked, rows: sizes.batch, forTraining: true)
      losses.append(Float(loss.mean + model.auxiliaryLoss))
      model.backward(batch, rows: sizes.batch)
      let modulation = model.expertCounts.map { counts in
        let u: [Double] = utilization(counts: Array(counts), rows: batch.count)
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
