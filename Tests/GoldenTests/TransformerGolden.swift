import Excitation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing

/// What a fixture says of ten excited steps of a transformer.
struct Trajectory: Decodable {
  let optimizer: OptimizerName
  let lr: Double
  let epsilon: Double
  let variant: ExcitationVariant
  let float32Error: Float
  let float32LossError: Float
  let moved: Float
  let idleExperts: Int

  static let steps = 10
}

/// The golden tests that both transformers have.
enum TransformerGolden {
  /// Of PyTorch's own float32 error, which the metadata hold, as in `OptimizerGoldenTests.bound`.
  /// PyTorch with its sums in another order differs from itself by up to 26 % of the bound in the
  /// forward pass, the losses and the gradients, and by 47 % after ten steps
  /// (scripts/golden/rounding.py).
  static let factor: Float = 6
  static let allowance: Float = 2e-7

  static func bound(_ float32Error: Float) -> Float { factor * float32Error + allowance }

  /// Every gradient of a model after its backward pass.
  /// - Parameters:
  ///   - error: PyTorch's own, of gradients.
  ///   - picked: K.
  static func expectGradients(
    of model: any Model, in file: SafetensorsFile, label: String, error: Float, picked: Int
  ) throws {
    let bound = bound(error)
    for parameter in model.parameters {
      let expected = try file.tensor("\(label)/grad.\(parameter.name)")
      expectClose(parameter.gradient, expected, atol: bound, name: "grad.\(parameter.name)")
      // The gradient must be large enough to tell a wrong one. A single pick's gate is always 1, so
      // only the balance loss moves that router.
      let least: Float = picked == 1 && parameter.name.contains("router") ? 100 : 1000
      #expect((expected.values.map(\.magnitude).max() ?? 0) > least * bound, "\(parameter.name)")
    }
    #expect(
      model.parameters.map { "\(label)/grad.\($0.name)" }.sorted()
        == file.names.filter { $0.hasPrefix("\(label)/grad.") })
  }

  /// A fixture's trajectories have idle experts and can tell a wrong step.
  static func expectTelling(_ file: String) throws {
    let cases = try GoldenFile<Trajectory>(file).cases
    #expect(cases.count == 2 * 4)
    for (label, facts) in cases {
      #expect(facts.idleExperts > 0, "\(label)")
      #expect(facts.moved > 500 * bound(facts.float32Error), "\(label)")
    }
  }

  /// Ten excited steps from a fixture's initial weights: weights and losses.
  /// - Parameters:
  ///   - batch: where `load` puts the samples of a step; it gives their targets.
  ///   - tokens: of a batch.
  static func expectTrajectory(
    _ label: String, of golden: GoldenFile<Trajectory>, model: any Model,
    auxiliaryLoss: () -> Double, batch: Tensor, samples: Int, tokens: Int, kernels: Kernels,
    load: (_ step: Int) -> [Int32]
  ) throws {
    let facts = try #require(golden.cases[label])
    var config = OptimizerConfig(facts.optimizer, lr: facts.lr)
    if facts.optimizer == .adam { config.epsilon = facts.epsilon }
    let optimizer = Optimizer(
      config, parameters: model.parameters, workers: Workers(2), kernels: kernels)
    var losses: [Float] = []
    for step in 0..<Trajectory.steps {
      let targets = load(step)
      model.forward(batch, rows: samples)
      let loss = model.loss(targets: targets, rows: samples, forTraining: true)
      losses.append(Float(loss.mean + auxiliaryLoss()))
      model.backward(batch, rows: samples)
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
        parameter.value, try golden.tensors.tensor("\(label)/\(parameter.name)"),
        atol: bound(facts.float32Error), name: "\(label): \(parameter.name)")
    }
    expectClose(
      losses, try golden.tensors.tensor("\(label)/losses").values,
      atol: factor * facts.float32LossError + 5e-7, name: "\(label): losses")
  }
}
