import Excitation
import Foundation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing

@Suite("Twenty training steps against PyTorch: every optimizer with every Φ")
struct OptimizerGoldenTests {
  struct Case: Decodable {
    let optimizer: Constants
    let variant: ExcitationVariant
    let gamma: Double
    let layerNorm: Bool
    /// Largest |float32 − float64| of PyTorch's final weights.
    let float32Error: Float
    /// The same of its losses.
    let float32LossError: Float
    /// Largest change of a modulated weight.
    let moved: Float
  }

  /// The constants that a case sets; the others are the optimizer's defaults.
  struct Constants: Decodable {
    let name: OptimizerName
    let lr: Double
    let weightDecay: Double?
    let momentum: Double?
    let dampening: Double?
    let nesterov: Bool?
    let beta1: Double?
    let beta2: Double?
    let alpha: Double?
    let epsilon: Double?
    let lrDecay: Double?
    let initialAccumulator: Double?

    var config: OptimizerConfig {
      var config = OptimizerConfig(name, lr: lr)
      config.weightDecay = weightDecay ?? config.weightDecay
      config.momentum = momentum ?? config.momentum
      config.dampening = dampening ?? config.dampening
      config.nesterov = nesterov ?? config.nesterov
      config.beta1 = beta1 ?? config.beta1
      config.beta2 = beta2 ?? config.beta2
      config.alpha = alpha ?? config.alpha
      config.epsilon = epsilon ?? config.epsilon
      config.lrDecay = lrDecay ?? config.lrDecay
      config.initialAccumulator = initialAccumulator ?? config.initialAccumulator
      return config
    }
  }

  static let name = "optimizers_x_phi"
  static let steps = 20

  /// What "agrees to float32 accuracy" means for a final weight.
  ///
  /// Every case's metadata hold how far PyTorch's float32 trajectory ends from its own float64 one:
  /// 4.6e-8 to 6.8e-7. It grows with Φ, which multiplies the rounding of δ, and with Adam's and
  /// RMSprop's division by the gradient's own size, which magnifies the rounding of a gradient that
  /// nearly cancels. A second correct float32 program ends elsewhere: PyTorch itself, with every sum
  /// in another order, up to 4.9 times that error from its own result, in ten orders of each
  /// trajectory (scripts/golden/rounding.py). Six times bounds that, and 2e-7 (some roundings of a
  /// weight below 1) is for cases whose own error happens to be small. No discrete choice enters:
  /// the batches are drawn so that every winner is clear by 5e-5 in all trajectories.
  static func bound(_ facts: Case) -> Float { 6 * facts.float32Error + 2e-7 }

  @Test("the fixture has every optimizer with every Φ, and each case can tell a wrong step")
  func cases() throws {
    let cases = try GoldenFile<Case>(Self.name).cases
    // 6·7 pairs, 12 + 3 with other γ, 2·14 with other constants, 2 with layer norm.
    #expect(cases.count == 6 * 7 + 12 + 3 + 2 * 14 + 2)
    for name in OptimizerName.allCases {
      for variant in ExcitationVariant.allCases {
        #expect(cases["\(name.rawValue) x \(variant.rawValue)"] != nil)
      }
    }
    for (label, facts) in cases {
      #expect(facts.moved > 5000 * Self.bound(facts), "\(label)")
    }
  }

  // One file is read per optimizer, not per case: its header takes longer than the steps.
  @Test(arguments: OptimizerName.allCases)
  func agrees(optimizer: OptimizerName) throws {
    let golden = try GoldenFile<Case>(Self.name)
    for (label, facts) in golden.cases.sorted(by: { $0.key < $1.key })
    where facts.optimizer.name == optimizer {
      for kernelName in kernelNames {
        try run(label, facts, golden.tensors, kernels: try #require(Kernels(named: kernelName)))
      }
    }
  }

  private func run(
    _ label: String, _ facts: Case, _ file: SafetensorsFile, kernels: Kernels
  ) throws {
    let sizes = try JSONDecoder.snakeCase.decode(
      GoldenSizes.self, from: Data(#require(file.metadata["sizes"]).utf8))
    let model = try sizes.model(
      from: file, prefix: "", layerNorm: facts.layerNorm, kernels: kernels)
    let optimizer = Optimizer(
      facts.optimizer.config, parameters: model.parameters, kernels: kernels)

    let inputs = try file.tensor("inputs", shape: [Self.steps, sizes.batch, sizes.inputs]).values
    let labels = try file.integers("labels").map(Int32.init)
    let permutations = try file.integers("permutations").map(UInt32.init)
    let batch = Tensor(sizes.batch, sizes.inputs)
    var losses: [Float] = []
    for step in 0..<Self.steps {
      let first = step * batch.count
      for i in 0..<batch.count { batch.data[i] = inputs[first + i] }
      model.forward(batch, rows: sizes.batch)
      let targets = Array(labels[step * sizes.batch..<(step + 1) * sizes.batch])
      let loss = model.loss(targets: targets, rows: sizes.batch, forTraining: true)
      losses.append(Float(loss.mean))
      model.backward(batch, rows: sizes.batch)
      let modulation = model.expertCounts.enumerated().map { layer, counts in
        let start = (step * sizes.hiddenLayers + layer) * sizes.width
        let u: [Double] = utilization(counts: Array(counts), rows: sizes.batch)
        return phi(
          u, variant: facts.variant, gamma: facts.gamma, epsilon: 1e-6,
          permutation: Array(permutations[start..<start + sizes.width])
        ).map { Float($0) }
      }
      optimizer.update(
        rate: facts.optimizer.lr, modulation: facts.variant == .vanilla ? nil : modulation)
    }

    let bound = Self.bound(facts)
    for parameter in model.parameters {
      expectClose(
        parameter.value, try file.tensor("\(label)/\(parameter.name)"), atol: bound,
        name: "\(label) (\(kernels.name)): \(parameter.name)")
    }
    // Losses are about 2; a float32 next to 2 is good to 2.4e-7.
    expectClose(
      losses, try file.tensor("\(label)/losses").values, atol: 3 * facts.float32LossError + 5e-7,
      name: "\(label) (\(kernels.name)): losses")
  }
}
