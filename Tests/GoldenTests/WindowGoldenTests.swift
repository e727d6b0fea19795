import Excitation
import Foundation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing

@Suite("Utilization averaged over the last batches, against PyTorch")
struct WindowGoldenTests {
  struct Case: Decodable {
    let optimizer: OptimizerName
    let lr: Double
    let variant: ExcitationVariant
    let gamma: Double
    let window: Int
    let float32Error: Float
    let moved: Float
  }

  static let name = "window"

  /// As for the trajectories without a window.
  static func bound(_ facts: Case) -> Float { 6 * facts.float32Error + 2e-7 }

  @Test("twenty training steps", arguments: kernelNames)
  func agrees(kernelName: String) throws {
    let golden = try GoldenFile<Case>(Self.name)
    #expect(golden.cases.count == 4)
    for (label, facts) in golden.cases.sorted(by: { $0.key < $1.key }) {
      #expect(facts.moved > 5000 * Self.bound(facts), "\(label)")
      let found = try weights(
        facts, window: facts.window, golden.tensors, kernels: #require(Kernels(named: kernelName)))
      for parameter in found.parameters {
        expectClose(
          parameter.value, try golden.tensors.tensor("\(label)/\(parameter.name)"),
          atol: Self.bound(facts), name: "\(label) (\(kernelName)): \(parameter.name)")
      }
    }
  }

  /// The fixture can tell windows apart.
  @Test("another window ends elsewhere")
  func another() throws {
    let golden = try GoldenFile<Case>(Self.name)
    for (label, facts) in golden.cases {
      let first = try weights(facts, window: 1, golden.tensors, kernels: .best)
      let parameter = try #require(first.parameters.first)
      let expected = try golden.tensors.tensor("\(label)/\(parameter.name)").values
      let largest = zip(parameter.value.values, expected).map { ($0 - $1).magnitude }.max() ?? 0
      #expect(largest > 1000 * Self.bound(facts), "\(label): \(largest)")
    }
  }

  private func weights(
    _ facts: Case, window: Int, _ file: SafetensorsFile, kernels: Kernels
  ) throws -> TopKMLP {
    let sizes = try JSONDecoder.snakeCase.decode(
      GoldenSizes.self, from: Data(#require(file.metadata["sizes"]).utf8))
    let steps = OptimizerGoldenTests.steps
    let model = try sizes.model(from: file, prefix: "", layerNorm: false, kernels: kernels)
    let optimizer = Optimizer(
      OptimizerConfig(facts.optimizer, lr: facts.lr), parameters: model.parameters,
      kernels: kernels)
    let inputs = try file.tensor("inputs", shape: [steps, sizes.batch, sizes.inputs]).values
    let labels = try file.integers("labels").map(Int32.init)
    let batch = Tensor(sizes.batch, sizes.inputs)
    var windows = model.expertCounts.map { _ in UtilizationWindow(window) }
    for step in 0..<steps {
      for i in 0..<batch.count { batch.data[i] = inputs[step * batch.count + i] }
      model.forward(batch, rows: sizes.batch)
      let targets = Array(labels[step * sizes.batch..<(step + 1) * sizes.batch])
      _ = model.loss(targets: targets, rows: sizes.batch, forTraining: true)
      model.backward(batch, rows: sizes.batch)
      let modulation = model.expertCounts.enumerated().map { layer, counts in
        let u: [Double] = utilization(counts: Array(counts), rows: sizes.batch)
        return phi(
          windows[layer].average(adding: u), variant: facts.variant, gamma: facts.gamma,
          epsilon: 1e-6
        ).map { Float($0) }
      }
      optimizer.update(rate: facts.lr, modulation: modulation)
    }
    return model
  }
}
